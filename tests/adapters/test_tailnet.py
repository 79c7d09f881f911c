"""Tailscale's adapter against the stand-in: one call an endpoint, and faults by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import Fault
from sandbox.tailscale import Tailscale
from sandbox.threads import running
from tailkeeper.adapters import tailnet
from tailkeeper.adapters.tailnet import Refused, Tailnet, Throttled, Unreachable, trimmed


if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = {"client_id": "id", "client_secret": "secret"}
DEVICES, SERVICES, SPLIT = (
    f"/api/v2/tailnet/-/{p}" for p in ("devices", "services", "dns/split-dns")
)
PATHS = {"devices": DEVICES, "services": SERVICES, "split_dns": SPLIT}
TOKEN = "/api/v2/oauth/token"
DEVICE: dict[str, Any] = {"nodeId": "n", "name": "n.ts.net", "hostname": "n", "addresses": []}


@pytest.fixture
def stand_in() -> Iterator[Tailscale]:
    """Run a tailnet with a gateway and a domain that is not ours."""
    server = Tailscale(oauth_client_id="id", oauth_client_secret="secret")
    with running(server):
        server.register("gateway-envoy", tags=["tag:k8s"])
        server.split_dns["other.org"] = ["100.64.0.7"]
        yield server


@pytest.fixture
def world(stand_in: Tailscale) -> Iterator[Tailnet]:
    """Return the adapter, let in."""
    with tailnet.connect(stand_in.base_url, SECRET) as http:
        yield Tailnet(http)


def fail(stand_in: Tailscale, path: str, **fault: Any) -> None:
    """Let a path fail, three times unless told otherwise: that is how often it is tried."""
    stand_in.faults.append(Fault(path=path, **{"times": 3, **fault}))


def paths(stand_in: Tailscale) -> list[str]:
    """Return the paths that were asked for."""
    return [request["path"] for request in stand_in.requests]


def test_an_observation_is_whole_and_cheap(stand_in: Tailscale, world: Tailnet) -> None:
    """A token and three reads; a device is trimmed to what planning reads."""
    stand_in.disconnect(stand_in.register("gateway-envoy", tags=["tag:k8s"])["nodeId"])

    seen = world.observe()

    assert (seen["complete"], seen["partial"]) == (True, {})
    assert paths(stand_in) == [TOKEN, DEVICES, SERVICES, SPLIT]
    assert stand_in.requests[1]["query"] == "fields=all"
    assert seen["split_dns"] == {"other.org": ["100.64.0.7"]}
    live, ghost = seen["devices"]
    assert (live["hostname"], live["connected"]) == ("gateway-envoy", True)
    assert (ghost["hostname"], ghost["connected"]) == ("gateway-envoy", False)
    assert ghost["name"].startswith("gateway-envoy-1.")
    assert [len(live["addresses"]), live["tags"], live["external"]] == [2, ["tag:k8s"], False]
    assert live.keys() == {
        *("node_id", "name", "hostname", "addresses"),
        *("tags", "connected", "created", "external", "expires"),
    }


@pytest.mark.parametrize(
    ("part", "fault", "why"),
    [
        ("devices", {"status": 500}, "answered 500"),
        ("devices", {"status": 429}, "throttles"),
        ("devices", {"body": {}}, "makes no sense"),
        ("devices", {"body": []}, "makes no sense"),
        ("devices", {"body": {"devices": [{"id": 1}]}}, "makes no sense"),
        ("devices", {"body": {"devices": None}}, "makes no sense"),
        ("devices", {"body": {"devices": [DEVICE | {"expires": "soon"}]}}, "makes no sense"),
        ("services", {"status": 404, "body": {"message": "404 page not found"}}, "scope"),
        ("services", {"status": 403, "body": {"message": "no"}}, "answered 403"),
        ("services", {"body": "later"}, "makes no sense"),
        ("split_dns", {"status": 401, "body": {"message": "API token invalid"}}, "401"),
        ("split_dns", {"body": []}, "makes no sense"),
        ("split_dns", {"body": {"example.com": "100.64.0.1"}}, "makes no sense"),
    ],
)
def test_a_part_that_fails_is_missing_with_its_reason(
    stand_in: Tailscale, world: Tailnet, part: str, fault: dict[str, Any], why: str
) -> None:
    """The others are there; nothing is concluded from what is missing (F43)."""
    fail(stand_in, PATHS[part], **fault)

    seen = world.observe()

    assert not seen["complete"]
    assert seen["partial"].keys() == {part}
    assert why in seen["partial"][part]
    assert seen[part] == ({} if part == "split_dns" else [])
    assert all(seen[other] is not None for other in ("devices", "services", "split_dns"))


@pytest.mark.parametrize(
    ("said", "expires"),
    [
        ({"expires": "2027-01-01T00:00:00Z"}, "2027-01-01T00:00:00+00:00"),
        ({"expires": "2027-01-01T00:00:00Z", "keyExpiryDisabled": True}, ""),
        ({"expires": "0001-01-01T00:00:00Z"}, ""),
        ({"expires": ""}, ""),
        ({}, ""),
    ],
)
def test_when_a_node_key_ends(said: dict[str, Any], expires: str) -> None:
    """A tagged device's never does; Tailscale says so in several ways."""
    assert trimmed(DEVICE | said)["expires"] == expires


def test_an_api_that_falls_silent_is_not_asked_for_the_rest(
    stand_in: Tailscale, world: Tailnet
) -> None:
    """Three tries of ten seconds are half of a function's time."""
    fail(stand_in, SERVICES, cut="before")

    seen = world.observe()

    assert list(seen["partial"]) == ["services", "split_dns"]
    assert (len(seen["devices"]), seen["split_dns"]) == (1, {})
    assert paths(stand_in)[-3:] == [SERVICES] * 3


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"cut": "after"}])
def test_a_read_is_tried_three_times(
    stand_in: Tailscale, world: Tailnet, fault: dict[str, Any]
) -> None:
    """Two failures of a read go unnoticed."""
    fail(stand_in, DEVICES, times=2, **fault)

    assert world.observe()["complete"]
    assert paths(stand_in).count(DEVICES) == 3


def test_no_scope_for_services_is_said(stand_in: Tailscale) -> None:
    """Tailscale answers 404 where the scope is missing: the sentence names it (F19)."""
    fail(stand_in, SERVICES, times=1, status=404, body={"message": "404 page not found"})
    with tailnet.connect(stand_in.base_url, SECRET) as http:
        seen = Tailnet(http).observe()

    assert "is the scope `services` missing?" in seen["partial"]["services"]
    assert paths(stand_in).count(SERVICES) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401, "body": {"message": "API token invalid"}, "times": 1}, Refused),
        ({"status": 429}, Throttled),
        ({"status": 500}, Unreachable),
        ({"cut": "before"}, Unreachable),
        ({"body": {"token": "?"}}, Unreachable),
        ({"body": "hello"}, Unreachable),
    ],
)
def test_who_is_not_let_in_knows_why(
    stand_in: Tailscale, fault: dict[str, Any], error: type[Exception]
) -> None:
    """A revoked client, a throttled one and a dead API are three things."""
    fail(stand_in, TOKEN, **fault)

    with pytest.raises(error), tailnet.connect(stand_in.base_url, SECRET):
        pass

    assert paths(stand_in).count(TOKEN) == (1 if error is Refused else 3)


def test_an_api_key_needs_no_token(stand_in: Tailscale) -> None:
    """Where a person has only a key; it is the header that is sent."""
    with tailnet.connect(stand_in.base_url, {"api_key": "tskey-api-wrong"}) as http:
        seen = Tailnet(http).observe()

    assert TOKEN not in paths(stand_in)
    assert "401" in seen["partial"]["devices"]


def test_an_empty_secret_is_said() -> None:
    """A stack is deployed with empty secrets; nobody is asked with nothing in hand."""
    with (
        pytest.raises(Refused, match="neither client_id"),
        tailnet.connect("http://127.0.0.1:9", {}),
    ):
        pass


def test_credentials_go_in_the_form(stand_in: Tailscale, world: Tailnet) -> None:
    """As Tailscale documents the request, so that whoever stands in for it understands."""
    assert "Authorization" in world.http.headers
    assert stand_in.requests[0]["body"] == {
        "client_id": "id",
        "client_secret": "(redacted)",
        "grant_type": "client_credentials",
    }


def test_a_cleared_domain_has_no_nameservers(stand_in: Tailscale, world: Tailnet) -> None:
    """The document lets a domain be null: it is as if it were not there."""
    fail(stand_in, SPLIT, body={"example.com": None, "other.org": ["100.64.0.7"]})

    assert world.observe()["split_dns"] == {"other.org": ["100.64.0.7"]}


def test_split_dns_is_written_domain_by_domain(stand_in: Tailscale, world: Tailnet) -> None:
    """PATCH, never PUT: other domains stay; None clears one; the answer is the whole map."""
    assert world.set_split_dns({"example.com": ["100.64.0.9"]}) == {
        "other.org": ["100.64.0.7"],
        "example.com": ["100.64.0.9"],
    }
    assert world.set_split_dns({"example.com": None}) == {"other.org": ["100.64.0.7"]}
    assert stand_in.split_dns == {"other.org": ["100.64.0.7"]}


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"status": 429}, Throttled), ({"status": 502}, Unreachable), ({"cut": "after"}, Unreachable)],
)
def test_a_write_is_sent_once(
    stand_in: Tailscale, world: Tailnet, fault: dict[str, Any], error: type[Exception]
) -> None:
    """Whether it happened is found by reading again, which is the state machine's retry."""
    fail(stand_in, SPLIT, method="PATCH", **fault)

    with pytest.raises(error):
        world.set_split_dns({"example.com": ["100.64.0.9"]})

    assert paths(stand_in).count(SPLIT) == 1
