"""Two tries of one Apply, or two runs, at once: only one of them has its way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_records
from sandbox.faults import Fault
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.model import Change, Verdict
from tests.support.embedded import until


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

ID = "20261121-230000-aaaaaa"
FREE_ZONE = 200  # operations of a batch


def publish(number: int) -> Change:
    """Return a change that publishes a name, let through by the guard."""
    record = {"type": "CNAME", "content": "gw.tail.ts.net", "ttl": 1, "proxied": False}
    value = {"records": [record], "resource": f"httproute/apps/n{number}"}
    name = f"n{number:03}.example.com"
    verdict = Verdict("apply", 13)
    return Change("records", name, None, value, place="example.com", verdict=verdict)


def event(outside: Outside, aws: Stack, *changes: Change) -> dict[str, Any]:
    """Return the state's input for a plan."""
    plan = aws.artifacts.pack([change.as_json() for change in changes], "plans")
    return outside.event(change_id=ID, plan=plan)


def batches(outside: Outside) -> list[dict[str, Any]]:
    """Return the batches that Cloudflare was sent."""
    return [one for one in outside.cloudflare.requests if one["path"].endswith("/batch")]


def test_a_try_that_was_given_up_comes_through_after_all(aws: Stack, outside: Outside) -> None:
    """The second try has read before the first one's write: what it is refused is in place."""
    asked = event(outside, aws, publish(1))
    outside.cloudflare.faults += [Fault(method="POST", delay_ms=ms) for ms in (300, 700)]

    with ThreadPoolExecutor() as workers:
        first = workers.submit(apply_records.handler, asked, None)
        until(lambda: batches(outside), bool)
        second = workers.submit(apply_records.handler, asked, None)

    assert [one["status"] for one in batches(outside)] == [200, 400]
    assert first.result()["conflicts"] == second.result()["conflicts"] == []
    assert [entry.state for entry in aws.journal.entries(ID)] == ["applied"]


def test_a_lease_that_is_lost_between_two_batches_ends_the_writing(
    aws: Stack, outside: Outside
) -> None:
    """A plan of many batches may take longer than the lease: each of them asks for it."""
    asked = event(outside, aws, *(publish(number) for number in range(FREE_ZONE)))
    outside.cloudflare.faults.append(Fault(method="POST", delay_ms=300))

    with ThreadPoolExecutor() as workers:
        writing = workers.submit(apply_records.handler, asked, None)
        until(lambda: batches(outside), bool)
        aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        writing.result()
    assert len(batches(outside)) == 1
