"""The decisions in the table: `decisions / <digest>`, and the approvals that causes bring.

An approval of many digests is an object of the artifact bucket, which its cause's `ref` names.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.decisions.decision import LIFTED, Decision, approvals
from tailkeeper.model import Cause
from tailkeeper.moments import epoch, rfc3339


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tailkeeper.adapters.artifacts import Artifacts
    from tailkeeper.adapters.table import Table

PARTITION = "decisions"
AT_ONCE = 200  # that one look lifts; the next one goes on
POINTER = "artifact:"
LONGEST = 10_000  # bytes of digests in a cause


@dataclass(frozen=True)
class Decisions:
    """What people and runs have decided."""

    table: Table
    artifacts: Artifacts

    def known(self) -> dict[str, Decision]:
        """Return the decisions that have not expired, by digest."""
        found = map(Decision.from_item, self.table.query(PARTITION))
        return {one.digest: one for one in found if one.expires > time.time()}

    def keep(self, decisions: Iterable[Decision]) -> None:
        """Write decisions, each over the one before it."""
        self.table.write(decision.as_item() for decision in decisions)

    def lift(self, decisions: Iterable[Decision]) -> None:
        """Delete decisions, but for those that somebody has changed meanwhile."""
        for one in list(decisions)[:AT_ONCE]:
            same = "word = :word AND since = :since"
            try:
                self.table.delete(PARTITION, one.digest, same, word=one.word, since=one.since)
            except ConditionFailed:
                continue

    def approve(self, cause: Cause, within: int) -> list[str]:
        """Let an approval's digests through, unless it is too old; return them.

        Who rejected a digest since has the last word. What an approval that came too late was
        about is asked again; what was rejected or undone stays so.
        """
        known, digests = self.known(), self.digests_of(cause)
        expires = epoch(cause.at) + within
        if expires <= time.time():
            late = [known[digest] for digest in digests if digest in known]
            self.lift(one for one in late if one.word in LIFTED)
            self.keep(replace(one, told=()) for one in late if one.word == "undone")
            return []
        approved = list(approvals(digests, known, cause, int(expires)))
        self.keep(approved)
        return [one.digest for one in approved]

    def approval(self, change_id: str, digests: Sequence[str], by: str) -> Cause:
        """Return the cause by which somebody lets a change's digests through."""
        packed = self.artifacts.pack(list(digests), "approvals", budget=LONGEST)
        ref = f"{POINTER}{packed['artifact']}" if "artifact" in packed else " ".join(digests)
        return Cause("approval", change_id, rfc3339(time.time()), by, ref)

    def digests_of(self, cause: Cause) -> list[str]:
        """Return the digests that an approval names."""
        if cause.ref.startswith(POINTER):
            return list(self.artifacts.unpack({"artifact": cause.ref.removeprefix(POINTER)}))
        return cause.ref.split()
