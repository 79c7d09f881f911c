"""Executions that a restart kills: moto's run in threads, and cannot be taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.aws.persistence.journal import Journal

KIND = "execution"
TEXTS = ("exec_arn", "state_machine_arn", "name", "execution_input", "region_name", "account_id")
CAUSE = "The sandbox was stopped while the execution ran."


@dataclass
class ExecutionKeeper:
    """Notes each Standard execution while it runs."""

    journal: Journal

    def note(self, execution: Any) -> None:
        """Note a change of status; a listener of Step Functions."""
        is_running = execution.status == "RUNNING"
        state = {name: getattr(execution, name) for name in TEXTS}
        state["start_date"] = execution.start_date.isoformat()
        self.journal.put(KIND, execution.exec_arn, state if is_running else None)

    def tell_of_the_dead(self, emit: Callable[[Any], None]) -> None:
        """Emit the status ABORTED for each execution that died with the last sandbox."""
        for arn, state in self.journal.saved(KIND).items():
            start = datetime.fromisoformat(state["start_date"])
            emit(
                SimpleNamespace(
                    **{**state, "start_date": start},
                    status="ABORTED",
                    stop_date=datetime.now(UTC),
                    output=None,
                    error="Sandbox.Stopped",
                    cause=CAUSE,
                )
            )
            self.journal.put(KIND, arn, None)
