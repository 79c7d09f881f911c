"""The receiver, behind its HTTP API: what it lets in, and what comes of many events."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tests.support.deliveries import EVENTS as TEMPLATES
from tests.support.deliveries import delivery, watching
from tests.support.embedded import ROOT, Embedded, running, until
from tests.support.webhooks import node_created, post


if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.world

DAY = 86_400
EVENTS = 200


@pytest.mark.parametrize(
    ("document", "headers", "status"),
    [
        ([], {"tailscale-webhook-signature": ""}, 401),
        ([], {"tailscale-webhook-signature": "t=1,v1=00"}, 401),
        ([], {"tailscale-webhook-signature": "nonsense"}, 401),
        ([], {"content-type": "text/plain"}, 415),
        (b"x" * (1024 * 1024 + 1), {}, 413),
    ],
)
def test_refused(world: Embedded, document: Any, headers: dict[str, str], status: int) -> None:
    """What is not signed, too large, or of another type is refused, and starts nothing."""
    began = time.time()

    answer = post(world.connection["webhooks"], document, headers=headers)

    assert answer.status_code == status
    assert world.runs_since(began) == []


@pytest.mark.parametrize(("age", "status"), [(DAY, 202), (2 * DAY, 401), (-600, 401)])
def test_tolerance(world: Embedded, age: float, status: int) -> None:
    """Tailscale repeats for a day: an old signature is good for 25 h, one of tomorrow never."""
    event = {**node_created(uuid4().hex), "type": "policyUpdate"}

    answer = post(world.connection["webhooks"], [event], at=time.time() - age)

    assert answer.status_code == status


def test_what_counts(world: Embedded) -> None:
    """New events are accepted; repeats, other types, our own nodes and poison are ignored."""
    webhooks, began = world.connection["webhooks"], time.time()
    event = node_created(uuid4().hex)
    prober = node_created(uuid4().hex)
    prober["data"] = {**prober["data"], "deviceName": "tailkeeper-prober-7.ainu-herring.ts.net"}
    others = [{**event, "type": "policyUpdate"}, prober, 42, {"no": "type"}]

    answers = [post(webhooks, batch).json() for batch in ([event], [event, *others], others)]

    assert answers == [
        {"accepted": 1, "ignored": 0},
        {"accepted": 0, "ignored": 5},
        {"accepted": 0, "ignored": 4},
    ]
    outputs = world.outputs_since(began)
    assert [cause["id"] for output in outputs for cause in output["causes"]] != []
    assert {output["outcome"] for output in outputs} <= {"in_sync", "applied"}


def test_template_of_an_event(world: Embedded) -> None:
    """The webhook in events/ is one that the receiver accepts, once it is signed."""
    template = ROOT / "events" / "tailscale-node-created.webhook.json"
    body = json.loads(template.read_text())["body"]
    event = json.loads(body)[0]
    event["data"]["nodeID"] = uuid4().hex

    answer = post(world.connection["webhooks"], [event])

    assert answer.json() == {"accepted": 1, "ignored": 0}


@pytest.mark.parametrize(
    ("name", "how", "status"),
    [
        ("github-push", {"secret": "guess"}, 401),
        ("flux-applied", {"secret": "guess"}, 401),
        ("gitlab-push", {"headers": {"content-type": "text/plain"}}, 415),
        ("gitea-push", {"payload": b"x" * (4 * 1024 * 1024 + 1)}, 413),
    ],
)
def test_refused_of_git_and_flux(
    world: Embedded, name: str, how: dict[str, Any], status: int
) -> None:
    """What is not signed, of another type or too large is refused here too."""
    secret = world.connection["webhooks"]["git_secret"]

    answer = send_delivery(world, delivery(name, **{"secret": secret, **how}))

    assert answer.status_code == status


def test_templates_of_git_and_flux(world: Embedded) -> None:
    """Each webhook in events/ is accepted once it is signed; pull requests are only planned."""
    watch(world, "github", "gitlab", "gitea", "bitbucket")
    secret, began = world.connection["webhooks"]["git_secret"], time.time()
    names = sorted(
        file.name.removesuffix(".webhook.json") for file in TEMPLATES.glob("*.webhook.json")
    )
    git = [name for name in names if not name.startswith("tailscale")]

    answers = {name: send_delivery(world, delivery(name, secret=secret)).json() for name in git}

    assert answers == {name: {"accepted": 1, "ignored": 0} for name in git}
    until(lambda: world.runs_since(began), lambda runs: len(runs) == len(git))
    outcomes = Counter(output["outcome"] for output in world.outputs_since(began))
    assert outcomes.pop("planned") == len([name for name in git if name.endswith("request")])
    assert set(outcomes) <= {"applied", "in_sync", "coalesced"}


def watch(world: Embedded, *providers: str) -> None:
    """Add a repository of each provider to the world's configuration."""
    ssm = world.aws("ssm")
    (name,) = [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
    stored = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    value = json.dumps(stored | watching(*providers))
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def send_delivery(world: Embedded, event: dict[str, Any]) -> httpx.Response:
    """Send what an HTTP API would hand over as its sender does."""
    path = "/webhooks/flux" if "x-signature" in event["headers"] else "/webhooks/git"
    url = world.connection["webhooks"]["base_url"] + path
    return httpx.post(url, content=event["body"], headers=event["headers"], timeout=60)


def test_many_at_once(tmp_path: Path) -> None:
    """200 events of one node become a handful of runs and one change; none is lost.

    The world is a new one, in which there is much to do, at the pace that people run it: here
    nothing but the waiting is faster than on AWS, and a run must outlast the machine's stutter.
    """
    with running(tmp_path, "--sweep", "rate(1 day)", "--speed", "10") as world:
        began, node = time.time(), uuid4().hex
        with ThreadPoolExecutor(50) as senders:
            answers = list(senders.map(lambda n: send(world, node, n), range(EVENTS)))

        outputs = world.outputs_since(began)

        assert Counter(answers) == {202: EVENTS}
        assert len(outputs) == EVENTS
        past_the_lease = [o for o in outputs if o["outcome"] != "coalesced"]
        assert len(past_the_lease) <= 3, [o["outcome"] for o in past_the_lease]
        assert {o["outcome"] for o in past_the_lease} <= {"applied", "in_sync"}
        assert len({o["change_id"] for o in past_the_lease if o["outcome"] == "applied"}) == 1
        assert waiting_causes(world) == 0


def send(world: Embedded, node: str, number: int) -> int:
    """Send one event of the node; return the status."""
    return post(world.connection["webhooks"], [node_created(node, number)]).status_code


def waiting_causes(world: Embedded) -> int:
    """Return how many causes wait in the table."""
    found = world.aws("dynamodb").query(
        TableName=world.connection["aws"]["table"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "causes"}},
    )
    count: int = found["Count"]
    return count
