"""The Cloudflare adapter against the stand-in: what it reads, what it writes, how often it asks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.cloudflare import Cloudflare
from sandbox.cloudflare.ratelimit import Limiter, Standing
from sandbox.threads import running
from tailkeeper.adapters.zone_errors import (
    Rejected,
    Throttled,
    Unauthorized,
    Unreachable,
    Unsettled,
    ZoneMissing,
)
from tailkeeper.adapters.zones import Zone, Zones, connect
from tailkeeper.records.batches import Batch, Edit, packed


if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Rig:
    """The adapter, the stand-in behind it, and the waits that the adapter asked for."""

    stand_in: Cloudflare
    zones: Zones
    waits: list[float] = field(default_factory=list)

    @property
    def zone(self) -> Zone:
        """The zone under test, asked for without a request."""
        zone = self.stand_in.zone_of("example.com")
        assert zone
        return Zone(zone.id, zone.name, zone.plan.legacy_id, tuple(zone.name_servers))

    def fill(self, *records: dict[str, Any], plan: str = "enterprise") -> None:
        """Put records into the zone, as its only ones."""
        state = {"zones": [{"name": "example.com", "plan": plan, "records": records}]}
        assert self.admin("PUT", "/state", state).status_code == 204

    def fault(self, **fault: Any) -> None:
        """Let the next requests fail as told."""
        assert self.admin("POST", "/faults", fault).status_code == 201

    def calls(self) -> list[str]:
        """Return the requests since the stand-in started."""
        log = self.admin("GET", "/requests").json()
        return [f"{r['method']} {r['path'].rpartition('/')[2]}?{r['query']}" for r in log]

    def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Speak with the stand-in's admin port."""
        return httpx.request(method, self.stand_in.admin_url + path, json=body)

    def contents(self) -> dict[str, str]:
        """Return what the zone holds, by name."""
        zone = self.stand_in.zone_of("example.com")
        assert zone
        return {r.wire["name"].partition(".")[0]: r.wire["content"] for r in zone.records}


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Start an account with example.com, and the adapter over the real SDK."""
    stand_in = Cloudflare(zones=["example.com"], api_token="token")
    with running(stand_in):
        waits: list[float] = []
        with connect(stand_in.base_url, "token", timeout=5) as client:
            yield Rig(stand_in, Zones(client, waits.append), waits)


def cname(name: str, content: str = "gateway-envoy.ainu.ts.net") -> dict[str, Any]:
    """Return a CNAME's fields, as a batch posts them."""
    return {"name": f"{name}.example.com", "type": "CNAME", "content": content, "ttl": 1}


def mark(name: str) -> dict[str, Any]:
    """Return the ownership mark of that CNAME."""
    content = '"heritage=external-dns,external-dns/owner=homelab"'
    return {"name": f"cname-{name}.example.com", "type": "TXT", "content": content, "ttl": 1}


def creation(name: str, content: str = "gateway-envoy.ainu.ts.net") -> Edit:
    """Return the edit that creates a name with its mark."""
    return Edit(f"{name}.example.com", posts=(cname(name, content), mark(name)))


def test_a_zone_is_found_with_its_batch_limit(rig: Rig) -> None:
    """One request tells id, plan and name servers; the plan says how large a batch may be."""
    found = rig.zones.find_zone("example.com")
    assert found == rig.zone
    assert (found.plan, found.operations) == ("free", 200)
    assert Zone("id", "name", "pro", ()).operations == 3500
    assert rig.calls() == ["GET zones?name=example.com"]


@pytest.mark.parametrize(("records", "requests"), [(0, 1), (1, 1), (5000, 1), (5001, 2)])
def test_a_list_takes_one_request_for_each_five_thousand(
    rig: Rig, records: int, requests: int
) -> None:
    """Pages are followed to the last by their number, never one too far."""
    rig.fill(*(cname(f"h{n}") for n in range(records)))

    listing = rig.zones.list_records(rig.zone.id)

    assert (len(listing.records), listing.complete) == (records, True)
    pages = ["", "&page=2"][:requests]
    assert rig.calls() == [f"GET dns_records?per_page=5000{page}" for page in pages]


def test_a_record_is_trimmed_to_what_we_use(rig: Rig) -> None:
    """Seven fields, comment and proxied never null."""
    rig.fill(cname("app") | {"comment": "ours"}, mark("app"))
    app, txt = rig.zones.list_records(rig.zone.id).records
    assert app == {**cname("app"), "proxied": False, "comment": "ours", "id": app["id"]}
    assert txt == {**mark("app"), "proxied": False, "comment": "", "id": txt["id"]}


def test_a_host_is_found_with_its_mark_in_one_request(rig: Rig) -> None:
    """`name.contains` brings record and mark, and leaves the rest of the zone where it is."""
    rig.fill(cname("app"), mark("app"), cname("other"), mark("other"))
    listing = rig.zones.find_records(rig.zone.id, "app.example.com")
    assert [r["name"] for r in listing.records] == ["app.example.com", "cname-app.example.com"]
    assert rig.calls() == ["GET dns_records?name.contains=app.example.com&per_page=5000"]


def test_a_truncated_list_is_partial_and_says_why(rig: Rig) -> None:
    """Fewer records than counted are not fewer records in the zone (F02, F43)."""
    rig.fill(cname("a"), cname("b"), cname("c"))
    rig.fault(path="*/dns_records", truncate=1)
    listing = rig.zones.list_records(rig.zone.id)
    assert (len(listing.records), listing.complete) == (1, False)
    assert listing.partial == "Cloudflare counts 3 records and sent 1"


@pytest.mark.parametrize(
    "body", [{"result": []}, {"result": [{"name": "a"}], "result_info": {"total_count": 1}}]
)
def test_a_list_with_a_field_dropped_is_partial(rig: Rig, body: dict[str, Any]) -> None:
    """Without `result_info`, or a record's id, nobody knows whether that was all (F15)."""
    rig.fault(path="*/dns_records", status=200, body={"success": True} | body)
    assert not rig.zones.list_records(rig.zone.id).complete


def test_thirty_changes_are_one_batch(rig: Rig) -> None:
    """Deletes, patches and posts of thirty names go in one request; receipts follow the names."""
    rig.fill(*(cname(f"old{n}") for n in range(10)), *(cname(f"moved{n}") for n in range(10)))
    held = {r["name"]: r["id"] for r in rig.zones.list_records(rig.zone.id).records}
    new = {"content": "gateway-envoy-1.ainu.ts.net"}
    edits = [
        *(Edit(n, deletes=({"id": i},)) for n, i in held.items() if n.startswith("old")),
        *(Edit(n, patches=({"id": i, **new},)) for n, i in held.items() if n.startswith("moved")),
        *(creation(f"new{n}") for n in range(10)),
    ]
    (batch,) = packed(edits, rig.zone.operations)

    receipts = rig.zones.apply_batch(rig.zone.id, batch)

    assert rig.calls()[1:] == ["POST batch?"]
    assert [receipt["key"] for receipt in receipts] == [edit.key for edit in edits]
    by_key = {receipt["key"]: receipt for receipt in receipts}
    assert by_key["old3.example.com"]["deletes"][0]["id"] == held["old3.example.com"]
    assert by_key["moved3.example.com"]["patches"][0]["content"] == new["content"]
    created = [record["name"] for record in by_key["new3.example.com"]["posts"]]
    assert created == ["new3.example.com", "cname-new3.example.com"]
    assert len(rig.contents()) == 30


def test_a_free_zone_takes_two_hundred_operations_at_a_time(rig: Rig) -> None:
    """The plan's limit, and nothing else, splits the work; no name is split."""
    edits = [creation(f"h{n}") for n in range(99)] + [
        Edit(f"trio{n}.example.com", posts=(cname(f"trio{n}"), mark(f"trio{n}"))) for n in range(1)
    ]
    batches = packed([*edits, creation("last")], rig.zones.find_zone("example.com").operations)

    assert [len(batch.body["posts"]) for batch in batches] == [200, 2]
    rig.zones.apply_batch(rig.zone.id, batches[0])
    with pytest.raises(Rejected) as full:
        rig.zones.apply_batch(rig.zone.id, batches[1])
    assert (full.value.code, full.value.edit) == (81045, batches[1].edits[0])


def test_the_poison_of_a_batch_is_named_and_can_be_left_out(rig: Rig) -> None:
    """Nothing is written; without the guilty edit, the others go through (F13, F16)."""
    rig.fill({"name": "b.example.com", "type": "A", "content": "192.0.2.1"})
    good, bad, worse = creation("a"), creation("b"), creation("c", "100.64.0.7")
    batch = Batch((good, bad, worse))

    with pytest.raises(Rejected, match="already exists") as first:
        rig.zones.apply_batch(rig.zone.id, batch)
    assert (first.value.edit, first.value.code) == (bad, 81053)
    assert rig.contents() == {"b": "192.0.2.1"}
    rest = batch.without(bad)
    assert rest
    with pytest.raises(Rejected) as second:
        rig.zones.apply_batch(rig.zone.id, rest)
    assert second.value.edit is worse
    last = rest.without(worse)
    assert last
    rig.zones.apply_batch(rig.zone.id, last)
    assert set(rig.contents()) == {"a", "b", "cname-a"}


def test_a_nameless_rejection_leaves_the_search_to_the_caller(rig: Rig) -> None:
    """Where Cloudflare does not say which operation it minds, no edit is blamed."""
    body = {"success": False, "errors": [{"code": 1004, "message": "DNS Validation Error"}]}
    rig.fault(path="*/batch", status=400, body=body)
    batch = Batch((creation("a"), creation("b"), creation("c")))
    with pytest.raises(Rejected) as rejected:
        rig.zones.apply_batch(rig.zone.id, batch)
    assert (rejected.value.edit, rejected.value.code) == (None, 1004)
    assert [len(half.edits) for half in batch.halves] == [1, 2]
    assert batch.halves[0].halves == ()


@pytest.mark.parametrize(
    ("fault", "held"),
    [
        ({"cut": "after"}, {"a", "cname-a"}),
        ({"cut": "before"}, set()),
        ({"status": 502, "body": "bad gateway"}, set()),
        ({"status": 200, "body": {"success": True, "result": None}}, set()),
        ({"status": 200, "body": {"success": True, "result": {"posts": []}}}, set()),
    ],
)
def test_a_batch_without_an_answer_is_unsettled_and_sent_once(
    rig: Rig, fault: dict[str, Any], held: set[str]
) -> None:
    """Whether it was carried out shows only in the zone; it is not sent again."""
    rig.fault(path="*/batch", times=9, **fault)
    with pytest.raises(Unsettled):
        rig.zones.apply_batch(rig.zone.id, Batch((creation("a"),)))
    assert rig.calls() == ["POST batch?"]
    assert set(rig.contents()) == held


@pytest.mark.parametrize(
    "fault", [{"cut": "before"}, {"status": 503, "body": {}}, {"status": 200, "body": "no JSON?"},
              {"status": 200, "body": {"success": False}}]
)  # fmt: skip
def test_a_read_is_tried_three_times(rig: Rig, fault: dict[str, Any]) -> None:
    """Two failures pass unnoticed, three are Unreachable."""
    rig.fault(path="*/dns_records", times=2, **fault)
    assert rig.zones.list_records(rig.zone.id).complete
    rig.fault(path="*/dns_records", times=3, **fault)
    with pytest.raises(Unreachable):
        rig.zones.list_records(rig.zone.id)
    assert len(rig.calls()) == 6
    assert len(rig.waits) == 4


def test_too_many_requests_are_not_answered_with_more(rig: Rig) -> None:
    """A 429 is passed on at once, with Cloudflare's own waiting time."""
    rig.stand_in.account.limiter.limit = 0
    for ask in (
        lambda: rig.zones.list_records(rig.zone.id),
        lambda: rig.zones.apply_batch(rig.zone.id, Batch((creation("a"),))),
    ):
        with pytest.raises(Throttled) as throttled:
            ask()
        assert 295 <= throttled.value.retry_after <= 300
    assert len(rig.calls()) == 2
    rig.fault(status=429, body={})
    with pytest.raises(Throttled) as bare:
        rig.zones.find_zone("example.com")
    assert bare.value.retry_after == 300


class Burst(Limiter):
    """A limit that is passed once, and only for two seconds."""

    passed = False

    def count(self, token_id: str, now: float) -> Standing:
        """Refuse the first request."""
        standing = super().count(token_id, now)
        self.passed, first = True, not self.passed
        return replace(standing, left=-1, resets_in=2) if first else standing


def test_a_read_waits_for_a_burst_to_pass(rig: Rig) -> None:
    """Where Cloudflare asks for seconds and not for minutes, a read waits and is not lost."""
    rig.stand_in.account.limiter = Burst()

    assert rig.zones.list_records(rig.zone.id).complete
    assert rig.waits == [2]


def test_what_a_person_must_mend_has_its_name(rig: Rig) -> None:
    """A dead token is Unauthorized, an unknown zone is missing, a bad read is not repeated."""
    with pytest.raises(ZoneMissing, match=r"no active zone example\.net"):
        rig.zones.find_zone("example.net")
    with pytest.raises(ZoneMissing, match="7003"):
        rig.zones.list_records("0" * 32)
    with pytest.raises(Rejected, match=r"at least|between|page"):
        list(rig.zones._pages(rig.zone.id, {"match": "some", "type": "A", "page": "0"}))
    with connect(rig.stand_in.base_url + "/client/v4/", "other") as stranger:
        for ask in (
            lambda: Zones(stranger).find_zone("example.com"),
            lambda: Zones(stranger).apply_batch(rig.zone.id, Batch((creation("a"),))),
        ):
            with pytest.raises(Unauthorized, match="Invalid access token"):
                ask()
    assert rig.waits == []


def test_a_stale_id_is_the_fault_of_its_edit(rig: Rig) -> None:
    """A record that somebody deleted meanwhile is a rejection, not a missing zone."""
    gone = Edit("gone.example.com", deletes=({"id": "0" * 32},))
    with pytest.raises(Rejected) as rejected:
        rig.zones.apply_batch(rig.zone.id, Batch((creation("a"), gone)))
    assert (rejected.value.edit, rejected.value.code) == (gone, 81044)


FOOTPRINT = """
import json, re, sys
from pathlib import Path
from tailkeeper.adapters.zones import Zones, connect
Zones(connect("http://127.0.0.1:1", "token"))
typed = [m for m in sys.modules if m.startswith(("cloudflare.resources", "cloudflare.types.dns"))]
status = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1] if status.exists() else 0
print(json.dumps([typed, int(peak) / 1024]))
"""


def test_the_sdks_typed_models_stay_out() -> None:
    """Adapter and client import no resource of the SDK and stay near its floor of 44 MB."""
    path = ":".join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", FOOTPRINT], env={"PYTHONPATH": path}, capture_output=True, check=True
    )
    typed, megabytes = json.loads(done.stdout)
    assert typed == []
    assert megabytes < 52
