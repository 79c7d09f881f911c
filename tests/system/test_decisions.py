"""Nine of nine names gone: held, told once, shown by a link that only a POST can use, once."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.embedded import until


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.embedded import Embedded

pytestmark = [pytest.mark.world, pytest.mark.xdist_group("world")]

ZONE = "hearth.example"
LINK = re.compile(r"https?://\S+/changes/\S+")
SERVERS_OWN = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")


@dataclass
class Inbox:
    """A queue that gets what people are told."""

    world: Embedded
    url: str

    def messages(self) -> list[dict[str, str]]:
        """Return the messages that have come since the last look."""
        sqs = self.world.aws("sqs")
        got = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for message in got:
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in got]


@pytest.fixture(scope="module")
def inbox(world: Embedded) -> Inbox:
    """Return a new subscriber's queue."""
    sqs = world.aws("sqs")
    url = sqs.create_queue(QueueName="people")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    topic = world.connection["aws"]["topic"]
    world.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Inbox(world, url)


@pytest.fixture
def emptied(in_step: Embedded, inbox: Inbox) -> Iterator[Embedded]:
    """Return the world without any of its routes; they come back afterwards."""
    routes = json.loads(in_step.kubectl("get", "httproutes", "-A", "-o", "json"))
    hosts = {host for item in routes["items"] for host in item["spec"]["hostnames"]}
    before, _ = in_step.records(ZONE), inbox.messages()
    in_step.kubectl("delete", "httproutes", "--all", "-A")
    yield in_step
    for item in routes["items"]:
        item.pop("status", None)
        for part in SERVERS_OWN:
            item["metadata"].pop(part, None)
    in_step.kubectl("apply", "-f", "-", given=routes)
    theirs = {key for key in before if key[1] in hosts}
    until(lambda: in_step.converge() and theirs - in_step.records(ZONE).keys(), lambda k: not k)


def test_a_link_shows_by_get_and_decides_by_post_once(emptied: Embedded, inbox: Inbox) -> None:
    """Nothing is written until then; afterwards everything that was shown is."""
    before = emptied.records(ZONE)
    held = emptied.converge()
    again = emptied.converge()

    (message,) = inbox.messages()
    (link,) = LINK.findall(message["Message"])
    pages = [httpx.get(link), httpx.head(link), httpx.get(link)]

    assert (held["outcome"], again["outcome"]) == ("held", "held")
    assert held["plan"]["held"] == again["plan"]["held"] >= 9
    assert lease(emptied)["expires"]["N"] == "0"
    assert f"{held['plan']['held']} changes" in message["Subject"]
    assert f"home.{ZONE}" in pages[0].text
    assert [page.status_code for page in pages] == [200, 404, 200]
    assert emptied.records(ZONE) == before
    assert status(emptied)["held"]

    began = time.time()
    approved = decide(link, "approve")
    outputs = emptied.outputs_since(began)
    second = [decide(link, "approve"), decide(link, "reject"), httpx.get(link)]

    assert approved.status_code == 200
    assert [o["outcome"] for o in outputs] == ["applied"]
    assert outputs[0]["causes"][0]["kind"] == "approval"
    assert outputs[0]["plan"]["delete"] == held["plan"]["held"]
    assert [answer.status_code for answer in second] == [410, 410, 410]
    assert f"home.{ZONE}" not in {name for _, name in emptied.records(ZONE)}
    assert inbox.messages() == []


def test_what_moved_before_the_approval_is_held_again(emptied: Embedded, inbox: Inbox) -> None:
    """Eight go, the ninth is asked about anew; rejected, it is not asked about again."""
    held = emptied.converge()
    (message,) = inbox.messages()
    edit(emptied, f"home.{ZONE}", ttl=300)
    changed = held["change_id"]

    ran = emptied.command("approve", changed, "--json")
    (news,) = until(inbox.messages, bool)
    output = json.loads(ran.stdout)

    assert (ran.returncode, output["outcome"]) == (0, "applied")
    assert (output["plan"]["delete"], output["plan"]["held"]) == (held["plan"]["held"] - 1, 1)
    assert f"home.{ZONE}" in news["Message"]
    assert message["Message"] != news["Message"]
    assert {name for kind, name in emptied.records(ZONE) if kind == "CNAME"} >= {f"home.{ZONE}"}

    rejected = emptied.command("reject", output["change_id"], "--json")
    silent = emptied.converge()
    closed = emptied.command("approve", changed)

    assert [one["key"] for one in json.loads(rejected.stdout)["rejected"]] == [f"home.{ZONE}"]
    assert (silent["outcome"], inbox.messages()) == ("held", [])
    assert [one["word"] for one in status(emptied)["rejected"]] == ["rejected"]
    assert (closed.returncode, "nothing is held now" in closed.stderr) == (64, True)


def decide(link: str, word: str) -> httpx.Response:
    """Press a button of a link's page."""
    token = parse_qs(urlsplit(link).query)["token"][0]
    return httpx.post(link.partition("?")[0], data={"token": token, "decision": word})


def lease(world: Embedded) -> Any:
    """Return the lease item."""
    key = {"pk": {"S": "lease"}, "sk": {"S": "stack"}}
    table = world.connection["aws"]["table"]
    return world.aws("dynamodb").get_item(TableName=table, Key=key)["Item"]


def status(world: Embedded) -> Any:
    """Return what stands."""
    return json.loads(world.command("status", "--json").stdout)


def edit(world: Embedded, name: str, **parts: Any) -> None:
    """Edit a record as a person does in Cloudflare's dashboard."""
    part = world.connection["cloudflare"]
    headers = {"authorization": f"Bearer {part['api_token']}"}
    with httpx.Client(base_url=part["base_url"], headers=headers) as client:
        zones = client.get("/client/v4/zones", params={"name": ZONE}).json()["result"]
        records = f"/client/v4/zones/{zones[0]['id']}/dns_records"
        listed = client.get(records, params={"name": name}).json()["result"]
        record = next(found for found in listed if found["type"] == "CNAME")
        client.patch(f"{records}/{record['id']}", json=parts).raise_for_status()
