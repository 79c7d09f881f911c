"""Steps that run again, late or twice: Lambda is at least once, and a state may be tried again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.embedded import Embedded, route
from tests.support.leases import free, hold


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.world

ZONE = "hearth.example"


def invocations(world: Embedded, execution: str) -> list[tuple[str, str]]:
    """Return (function, payload) of every invocation of an execution, in order."""
    pages = world.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    found = []
    for event in (event for page in pages for event in page["events"]):
        details = event.get("taskScheduledEventDetails", {})
        if details.get("resource") == "invoke":
            parameters = json.loads(details["parameters"])
            found.append((parameters["FunctionName"], json.dumps(parameters["Payload"])))
    return found


def writes(world: Embedded) -> list[tuple[str, str]]:
    """Return what changed a surface: method and path."""
    reading = {"GET", "HEAD"}
    return [
        (one["method"], one["path"])
        for part in ("cloudflare", "tailscale", "kubernetes")
        for one in world.requests(part)
        if one["method"] not in reading and "token" not in one["path"]
    ]


def invoked(world: Embedded, steps: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """Yield (function, answer) of steps that are taken again."""
    functions = world.aws("lambda")
    for function, payload in steps:
        answer = functions.invoke(FunctionName=function, Payload=payload)
        yield function, json.loads(answer["Payload"].read())


def assert_repeatable(world: Embedded, change_id: str) -> None:
    """Fail unless no step of a change that runs once more writes, with its lease or without."""
    change = world.change(change_id)
    records, execution = world.records(ZONE), change["execution"]
    steps = [one for one in invocations(world, execution) if "ProbeEndpoints" not in one[0]]
    world.forget_requests()

    late = list(invoked(world, steps))
    hold(world, execution)
    again = list(invoked(world, steps))
    free(world)

    assert {answer.get("errorType", "nothing to do") for _, answer in late} <= {
        "LeaseLost",
        "nothing to do",
    }
    assert [name for name, answer in again if "errorType" in answer] == []
    applied = [answer for name, answer in again if "-Apply" in name]
    assert [(answer["applied"], answer["conflicts"]) for answer in applied] == [(0, [])] * len(
        applied
    )
    assert writes(world) == []
    assert world.records(ZONE) == records
    after = world.change(change_id)
    assert (after["outcome"], len(after["entries"])) == (change["outcome"], len(change["entries"]))


def test_steps_that_run_again(in_step: Embedded) -> None:
    """Each step of a Converge and of an Undo, late or twice: nothing is written any more."""
    name = f"again-{uuid4().hex[:6]}"
    in_step.kubectl("apply", "-f", "-", given=route(name, [f"{name}.{ZONE}"]))
    made = in_step.converge()["change_id"]

    assert_repeatable(in_step, made)
    undone = json.loads(in_step.command("undo", made, "--json").stdout)
    assert_repeatable(in_step, undone["change_id"])

    in_step.kubectl("-n", "home", "delete", "httproute", name)
    assert ("CNAME", f"{name}.{ZONE}") not in in_step.records(ZONE)
    assert in_step.converge()["outcome"] == "in_sync"
