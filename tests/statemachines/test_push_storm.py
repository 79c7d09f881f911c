"""Many pushes at once, through the real receiver, the bus and the machine: a handful of runs."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from functions import receive_git_webhook as receiver
from sandbox.aws.events import EventDelivery
from tests.statemachines.script import applying, close
from tests.statemachines.test_storm import A_HANDFUL
from tests.support.deliveries import SECRET, delivery, document, watching
from tests.support.handlers import client, set_config, set_secret
from tests.support.line import Line, line_to


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.statemachines.stage import Stage

COMMITS, RELEVANT = 297, 35  # as a homelab's history has them: 88 % touch nothing that is watched
PATTERN = {"source": ["tailkeeper.git"], "detail-type": ["Causes"]}


@pytest.fixture
def line(
    stage: Stage, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    """Lead the bus to the machine, and a receiver's calls over a line that counts them."""
    set_secret("WEBHOOK_SECRETS", {"git": SECRET})
    set_config(watching("github"))
    bus = {"EventBusName": environment["BUS"]}
    events, delivering = client(stage.endpoint, "events"), EventDelivery()
    events.put_rule(Name="pushes", EventPattern=json.dumps(PATTERN), **bus)
    target = {"Id": "converge", "Arn": stage.converge, "InputPath": "$.detail"}
    events.put_targets(Rule="pushes", Targets=[target], **bus)
    delivering.start()
    with line_to(stage.endpoint) as relay:
        monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
        for cached in (receiver.inbox, receiver.secrets, receiver.watched):
            cached.cache_clear()
        yield relay
    delivering.stop()
    events.remove_targets(Rule="pushes", Ids=["converge"], **bus)
    events.delete_rule(Name="pushes", **bus)


def push(number: int) -> dict[str, Any]:
    """Return the delivery of one commit; each eighth or ninth touches what is watched."""
    is_relevant = number * RELEVANT % COMMITS < RELEVANT
    commit = {
        **document("github-push")["commits"][0],
        "id": f"{number + 1:040x}",
        "added": [],
        "modified": [f"apps/app-{number}.yaml" if is_relevant else f"docs/page-{number}.md"],
    }
    moved = {"before": f"{number + 2:040x}", "after": commit["id"], "commits": [commit]}
    return delivery("github-push", document("github-push") | moved)


def test_a_push_storm(stage: Stage, line: Line) -> None:
    """One delivery each; what cannot matter ends at the receiver; the rest is a handful of runs."""
    gathered: dict[str, set[str]] = {}

    def close_slowly(payload: Any) -> dict[str, Any]:
        time.sleep(0.05)  # lets the storm go on while the lease is held
        refs = {cause["ref"] for cause in payload["causes"]}
        gathered.setdefault(payload["run"]["name"], set()).update(refs)
        return close(payload)

    stage.script.answers = {
        "PlanChange": [applying("records", probes=[])],
        "CloseChange": [close_slowly],
    }

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: receiver.handler(push(n), None), range(COMMITS)))

    told = Counter(answer["body"] for answer in answers)
    assert told == {
        json.dumps({"accepted": 1, "ignored": 0}): RELEVANT,
        json.dumps({"accepted": 0, "ignored": 1}): COMMITS - RELEVANT,
    }
    calls = Counter(line.operations)
    marks = [given for name, given in line.calls if name == "PutItem" and is_mark(given)]
    assert (calls["PutEvents"], len(marks)) == (RELEVANT, 2 * RELEVANT)
    assert calls["GetParameter"] + calls["GetSecretValue"] <= 16 * 4, "once for each that began"
    ends = Counter(stage.ended(each, 60)["output"]["outcome"] for each in started(stage))
    assert set(ends) <= {"applied", "coalesced"}
    assert 1 <= ends["applied"] <= A_HANDFUL
    assert len(set().union(*gathered.values())) == RELEVANT
    assert not stage.items("causes")


def is_mark(given: Any) -> bool:
    """Return whether a PutItem marks an event as claimed or seen."""
    return bool(given["Item"]["pk"]["S"].startswith("event#"))


def started(stage: Stage) -> list[str]:
    """Return the runs of the storm, once the bus has started all of them."""
    deadline = time.monotonic() + 60
    while len(found := stage.converges()) < RELEVANT:
        assert time.monotonic() < deadline, f"only {len(found)} runs were started"
        time.sleep(0.05)
    return found
