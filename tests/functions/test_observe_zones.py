"""Observe Zones: a zone's id is asked for once, its records cost one list, failures are said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import observe_zones
from sandbox.faults import Fault
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.adapters.zone_errors import Throttled
from tests.support.handlers import set_secret


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

LIST = "*/dns_records"


def observe(aws: Stack, outside: Outside) -> dict[str, Any]:
    """Run the state; return what it says of the zone."""
    seen = aws.artifacts.unpack(observe_zones.handler(outside.event(), None))
    zone: dict[str, Any] = seen["example.com"]
    return zone


def fill(outside: Outside, count: int, **more: str) -> None:
    """Let the zone hold so many records."""
    records = [
        {"name": f"h{n}.example.com", "type": "CNAME", "content": "gw.tail.ts.net", "ttl": 1}
        for n in range(count)
    ]
    zone = {"name": "example.com", "plan": "enterprise", "records": records, **more}
    outside.cloudflare.load({**outside.cloudflare.dump(), "zones": [zone]})


def asked(outside: Outside) -> list[str]:
    """Return the ends of the paths that were asked for, and forget them."""
    paths = [request["path"].rpartition("/")[2] for request in outside.cloudflare.requests]
    outside.cloudflare.requests.clear()
    return paths


def test_a_zone_is_looked_up_once_and_listed_once_a_run(aws: Stack, outside: Outside) -> None:
    """5,000 records are one request, and the second run does not ask for the zone's id again."""
    fill(outside, 5000)

    first = observe(aws, outside)
    assert asked(outside) == ["zones", "dns_records"]
    second = observe(aws, outside)
    assert asked(outside) == ["dns_records"]

    assert len(first["records"]) == 5000
    assert first == second
    assert (first["why"], len(first["name_servers"])) == ("", 2)


def test_a_zone_that_was_made_anew_is_found_again(aws: Stack, outside: Outside) -> None:
    """Its remembered id leads nowhere: learnt once more, in the same run."""
    observe(aws, outside)
    fill(outside, 3, id="f" * 32)
    asked(outside)

    seen = observe(aws, outside)

    assert (seen["why"], len(seen["records"])) == ("", 3)
    assert asked(outside) == ["dns_records", "zones", "dns_records"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"path": LIST, "status": 403, "body": {"errors": [{"code": 10000}]}}, "403"),
        ({"path": LIST, "status": 429, "body": {}, "times": 3}, "429"),
        ({"path": LIST, "status": 500, "body": {}, "times": 3}, "500"),
        ({"path": LIST, "cut": "before", "times": 3}, "did not answer"),
        ({"path": LIST, "body": {"success": True, "result": []}}, "counts None"),
        ({"path": LIST, "truncate": 1}, "sent 1"),
        ({"path": "*/zones", "status": 400, "body": {"errors": [{"code": 6003}]}}, "400"),
        ({"path": "*/zones", "body": {"success": True, "result": []}}, "no active zone"),
    ],
)
def test_a_zone_that_cannot_be_read_whole_says_why(
    aws: Stack, outside: Outside, fault: dict[str, Any], why: str
) -> None:
    """F15: partial is not absent; the run goes on with the other surfaces."""
    fill(outside, 2)
    outside.cloudflare.faults.append(Fault(**fault))

    assert why in observe(aws, outside)["why"]


def test_a_patient_run_waits_for_a_throttled_zone(aws: Stack, outside: Outside) -> None:
    """Its state is tried again; for a sweep, and at last, the zone is partial."""
    outside.cloudflare.faults.append(Fault(path=LIST, status=429, body={}, times=9))

    with pytest.raises(Throttled):
        observe_zones.handler(outside.event(patient=True), None)
    asked(outside)

    assert "spent" in observe(aws, outside)["why"], "nobody asks while all have to wait"
    assert asked(outside) == []


@pytest.mark.parametrize(
    ("secret", "why"), [({"api_token": "wrong"}, "40"), ({}, "the secret holds no api_token")]
)
def test_a_token_that_opens_nothing_is_said(
    aws: Stack, outside: Outside, secret: dict[str, str], why: str
) -> None:
    """A revoked token, and a stack that was just deployed."""
    set_secret("CLOUDFLARE_SECRET", secret)

    seen = observe(aws, outside)

    assert why in seen["why"]
    assert seen["records"] == []


def test_one_zone_that_fails_leaves_the_others(aws: Stack, outside: Outside) -> None:
    """A zone that this token does not see is missing, with its reason."""
    outside.config["zones"].append({"name": "example.org", "owner": "homelab"})

    seen = aws.artifacts.unpack(observe_zones.handler(outside.event(), None))

    assert seen["example.com"]["why"] == ""
    assert "no active zone example.org" in seen["example.org"]["why"]


def test_a_run_that_lost_the_lease_reads_nothing(aws: Stack, outside: Outside) -> None:
    """Cloudflare's limit is shared by all runs."""
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        observe_zones.handler(outside.event(), None)

    assert asked(outside) == []
