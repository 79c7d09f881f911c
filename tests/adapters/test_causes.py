"""Waiting causes: each an item of its own, consumed by the run that observed it and by no other."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tailkeeper.model import SURFACES, Cause


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack


def cause(number: int) -> Cause:
    """Return a cause that came in the given second."""
    return Cause("tailscale", f"id{number}", f"2026-11-21T23:00:{number:02}Z", "tag:k8s", "x n1 y")


def store(aws: Stack, *causes: Cause, surfaces: Any = None) -> None:
    """Store causes as the Converge machine does."""
    aws.table.write(
        {
            "pk": "causes",
            "sk": f"{each.at}#{each.id}",
            "cause": json.dumps(each.as_json()),
            **({"surfaces": json.dumps(surfaces)} if surfaces else {}),
        }
        for each in causes
    )


def waiting(aws: Stack) -> list[str]:
    """Return the ids of the causes that wait."""
    return [entry.cause.id for entry in aws.causes.waiting()]


def test_causes_come_oldest_first_with_their_surfaces(aws: Stack) -> None:
    """One without surfaces is about all of them."""
    store(aws, cause(2), cause(1))
    store(aws, cause(3), surfaces=["resolver"])

    found = aws.causes.waiting()

    assert [entry.cause for entry in found] == [cause(1), cause(2), cause(3)]
    assert [entry.surfaces for entry in found] == [SURFACES, SURFACES, ("resolver",)]


def test_a_run_consumes_what_it_observed_over_all_its_rounds(aws: Stack) -> None:
    """The second round saw the first one's again, and one more; a later one stays."""
    store(aws, cause(1), cause(2))
    aws.causes.take("run", 1, [entry.key for entry in aws.causes.waiting()])
    store(aws, cause(3))
    aws.causes.take("run", 2, [entry.key for entry in aws.causes.waiting()])
    store(aws, cause(4))

    aws.causes.consume("run")
    assert waiting(aws) == ["id4"]
    assert aws.table.query("run#run") == []

    aws.causes.consume("run")
    assert waiting(aws) == ["id4"]


def test_a_dead_runs_causes_wait_for_the_next_one(aws: Stack) -> None:
    """What was taken and not consumed is still there, and another run's note is not ours."""
    store(aws, cause(1))
    aws.causes.take("dead", 1, [entry.key for entry in aws.causes.waiting()])

    aws.causes.consume("another")

    assert waiting(aws) == ["id1"]
    (note,) = aws.table.query("run#dead")
    assert note["expires_at"] > time.time()


def test_at_most_a_thousand_are_taken_at_once(aws: Stack) -> None:
    """The rest waits: a run's note of what it took must fit into an item."""
    aws.table.write(
        {"pk": "causes", "sk": f"{n:05}", "cause": json.dumps(cause(1).as_json())}
        for n in range(1005)
    )

    taken = [entry.key for entry in aws.causes.waiting()]
    aws.causes.take("run", 1, taken)
    aws.causes.consume("run")

    assert taken == [f"{n:05}" for n in range(1000)]
    assert len(aws.causes.waiting()) == 5
