"""State Apply Split DNS: the tailnet's nameservers, domain by domain, and no other domain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import tailnet
from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.writing import Report, Writing, Written
from tailkeeper.config import Config
from tailkeeper.split_dns.surface import PLACE, value_of


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.model import Change

logger = Logger(service="apply-split-dns")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the report of the surface; raise Unreachable, Throttled or Refused."""
    writing, report = Writing(stack(), event), Report("split-dns")
    changes = [change for place in writing.changes("split-dns").values() for change in place]
    if changes:
        apply(writing, Config.from_json(event["config"]).tailnet, changes, report)
    logger.info("applied", extra=report.as_json())
    return report.as_json()


def apply(writing: Writing, name: str, changes: Sequence[Change], report: Report) -> None:
    """Write the domains that still hold what the plan saw; Tailscale has no compare-and-set."""
    secret = writing.stack.secret("TAILSCALE_SECRET")
    with tailnet.connect(os.environ["TAILSCALE_URL"], secret) as http:
        world = tailnet.Tailnet(http, name)
        standing = world.split_dns()

        def write(todo: Sequence[Change]) -> Written:
            answer = world.set_split_dns({change.key: wanted(change) for change in todo})
            return Written(", ".join(f"{c.key}={answer.get(c.key)}" for c in todo))

        noting = Ledger(writing.stack.table, PLACE).noting(write)
        writing.carry_out(
            changes, lambda change: value_of(standing.get(change.key)), noting, report
        )


def wanted(change: Change) -> list[str] | None:
    """Return the nameservers to set; None clears the domain."""
    return change.after["nameservers"] if change.after else None
