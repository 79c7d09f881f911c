"""Live progress: each state of an execution, as it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.details import remark
from cli.executions import pause, read_history, wait
from cli.screen import seconds


if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.deployments import Deployment
    from cli.executions import Ended
    from cli.history import History, Visit
    from cli.screen import Screen

SHOWN = frozenset({"Task", "Wait", "Fail"})


def follow(screen: Screen, deployment: Deployment, arn: str) -> Ended:
    """Print the states that an execution leaves until it ends; return how it did."""
    with screen.waiting(f"Following {arn.rpartition(':')[2]}") as update:
        follower = Follower(screen, update)
        while True:
            history = read_history(deployment, arn)
            follower.look(history)
            if history.status:
                return wait(deployment, arn)
            pause(deployment)


class Follower:
    """Prints what is new in a history that is read again and again."""

    def __init__(self, screen: Screen, update: Callable[[str], None]) -> None:
        self._screen = screen
        self._update = update
        self._told: set[int] = set()

    def look(self, history: History) -> None:
        """Print the visits that ended since the last look."""
        for place, visit in enumerate(history.visits):
            if visit.left and visit.kind in SHOWN and place not in self._told:
                self._told.add(place)
                self._tell(visit, history)
        self._update(", ".join(visit.name for visit in history.running) or "Ending")

    def _tell(self, visit: Visit, history: History) -> None:
        begun = history.started or visit.entered
        offset = f"+{seconds((visit.entered - begun).total_seconds())}"
        line = f"{offset:>11}  {visit.name:<22} {seconds(visit.seconds):>9}  {remark(visit)}"
        self._screen.say(line.rstrip(), style="red" if visit.kind == "Fail" else "")
