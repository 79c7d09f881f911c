"""What every function of the stack starts with: table, artifacts, secrets, lease."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.artifacts import Artifacts
from tailkeeper.adapters.aws import Aws, AwsError
from tailkeeper.adapters.causes import Causes
from tailkeeper.adapters.decisions import Decisions
from tailkeeper.adapters.journal import Journal
from tailkeeper.adapters.lease import Lease
from tailkeeper.adapters.questions import Questions
from tailkeeper.adapters.table import Table


if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Stack:
    """The stack's own storage, by the names in the function's environment."""

    aws: Aws = field(default_factory=Aws)

    @property
    def table(self) -> Table:
        """Return the one table."""
        return Table(self.aws)

    @property
    def artifacts(self) -> Artifacts:
        """Return the artifact bucket."""
        return Artifacts(self.aws)

    @property
    def journal(self) -> Journal:
        """Return the journal."""
        return Journal(self.table, self.artifacts)

    @property
    def decisions(self) -> Decisions:
        """Return what was decided about changes."""
        return Decisions(self.table, self.artifacts)

    @property
    def questions(self) -> Questions:
        """Return what people were asked."""
        return Questions(self.table, self.artifacts)

    @property
    def causes(self) -> Causes:
        """Return the waiting causes."""
        return Causes(self.table)

    def lease(self, run: Mapping[str, Any]) -> Lease:
        """Return a run's lease, renewed: every function of a run begins with this."""
        lease = Lease.of(self.table, run)
        lease.renew()
        return lease

    def secret(self, variable: str) -> dict[str, Any]:
        """Return the JSON secret whose ARN is in the environment; {} until somebody fills it."""
        try:
            answer = self.aws.call(
                "secretsmanager",
                "GetSecretValue",
                SecretId=os.environ[variable],
                VersionStage="AWSCURRENT",
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return {}
            raise
        document: dict[str, Any] = json.loads(answer["SecretString"])
        return document


@cache
def stack() -> Stack:
    """Return the process's one stack; its connections are kept between invocations."""
    return Stack()
