"""The stack's one lease: claimed by the Converge machine, renewed by each of its functions.

The item `lease/stack` holds `holder` (an execution's ARN), `fence` (rises with each claim),
`expires` (epoch seconds) and `asked` (how many newcomers have left their causes to the holder).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import ConditionFailed


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.adapters.table import Table

LEASE = ("lease", "stack")


class LeaseLost(Exception):
    """Another run holds the lease: this one must write nothing more."""


@dataclass(frozen=True)
class Lease:
    """A run's hold on the world; `fence` 0 means a dry run, which holds nothing."""

    table: Table
    holder: str
    fence: int

    @classmethod
    def of(cls, table: Table, run: Mapping[str, Any]) -> Lease:
        """Return the lease of a run as its state carries it."""
        return cls(table, run["holder"], int(run["fence"]))

    def renew(self) -> dict[str, Any]:
        """Keep the lease for its full time from now; return the item; raise LeaseLost."""
        if not self.fence:
            return {}
        seconds = int(os.environ["LEASE_SECONDS"])
        try:
            return self.table.update(
                *LEASE,
                "SET expires = :expires",
                "holder = :holder AND fence = :fence",
                expires=int(time.time()) + seconds,
                holder=self.holder,
                fence=self.fence,
            )
        except ConditionFailed as error:
            raise LeaseLost(f"the lease has passed on from fence {self.fence}") from error
