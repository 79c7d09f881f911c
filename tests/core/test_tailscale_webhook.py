"""Tailscale's webhooks: signatures, tolerance, poison, identity."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailkeeper
from tailkeeper.webhooks.signatures import (
    MalformedSignatureError,
    MissingSignatureError,
    SignatureError,
    StaleSignatureError,
    WrongSignatureError,
)
from tailkeeper.webhooks.tailscale import Event, parse_events, sign, verify
from tailkeeper.webhooks.untrusted import canonical_id


SECRET = "tskey-webhook-xxxxx"
NOW = 1_663_781_880
BODY = b'[{"type":"test"}]'
HOURS = 3600


def test_vectors(specs: Path) -> None:
    """Signatures computed with openssl from the official algorithm hold; one byte more does not."""
    folder = specs / "vectors"
    vectors = json.loads((folder / "webhook-signatures.json").read_text())["tailscale"]
    assert vectors
    for vector in vectors:
        file = vector.get("body_file")
        body = (folder / file).read_bytes() if file else vector["body"].encode()

        verify(vector["header"], body, [vector["secret"]], now=vector["t"])
        assert sign(vector["secret"], body, at=vector["t"]) == vector["header"]
        with pytest.raises(WrongSignatureError):
            verify(vector["header"], body + b" ", [vector["secret"]], now=vector["t"])


def test_official_samples(specs: Path) -> None:
    """Every documented payload is an event: arrays and long policies among the data included."""
    body = (specs / "tailscale" / "webhook-events.sample.json").read_bytes()

    events, poison = parse_events(body)

    assert poison == []
    assert len({event.id for event in events}) == len(json.loads(body))
    created = events[1]
    assert created.type == "nodeCreated"
    assert created.node_id == "nFJw3SRKTM59"
    assert created.device == "alice-workstation1.yak-bebop.ts.net"
    assert [event.type for event in events if event.relevant] == [
        "nodeCreated",
        "nodeApproved",
        "nodeDeleted",
        "nodeKeyExpired",
    ]


@pytest.mark.parametrize(
    "secrets", [[SECRET], ["tskey-webhook-new", SECRET], [SECRET, "tskey-webhook-new"]]
)
def test_any_living_secret_is_enough(secrets: list[str]) -> None:
    """While a secret is rotated, both the old one and the new one verify."""
    verify(sign(SECRET, BODY, at=NOW), BODY, secrets, now=NOW)


def test_any_of_several_signatures_is_enough() -> None:
    """One header may carry several v1, and schemes we do not know."""
    good = sign(SECRET, BODY, at=NOW).partition(",")[2]

    verify(f"t={NOW},v2=abc,v1={'0' * 64},{good}", BODY, [SECRET], now=NOW)


@pytest.mark.parametrize(
    ("age", "error"),
    [
        (0, None),
        (25 * HOURS, None),
        (25 * HOURS + 1, StaleSignatureError),
        (-300, None),
        (-301, StaleSignatureError),
    ],
)
def test_tolerance_both_ways(age: int, error: type[SignatureError] | None) -> None:
    """A repeat a day later is in time; older, or from the future, is not."""
    header = sign(SECRET, BODY, at=NOW - age)

    if error is None:
        verify(header, BODY, [SECRET], now=NOW)
    else:
        with pytest.raises(error):
            verify(header, BODY, [SECRET], now=NOW)


def test_tolerance_is_configurable() -> None:
    """Five minutes, as Tailscale's own example has it, is one argument away."""
    header = sign(SECRET, BODY, at=NOW - 301)

    with pytest.raises(StaleSignatureError):
        verify(header, BODY, [SECRET], now=NOW, past=300)
    verify(header, BODY, [SECRET], now=NOW, past=301)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, MissingSignatureError),
        ("", MissingSignatureError),
        ("v1=" + "0" * 64, MalformedSignatureError),
        (f"t={NOW}", MalformedSignatureError),
        (f"t={NOW},t={NOW},v1=00", MalformedSignatureError),
        ("t=soon,v1=00", MalformedSignatureError),
        ("t=-5,v1=00", MalformedSignatureError),
        ("t=\u00b2,v1=00", MalformedSignatureError),
        ("t=" + "9" * 5000 + ",v1=00", MalformedSignatureError),
        (f"t={NOW},v1=00,", MalformedSignatureError),
        (f"t={NOW},v1=0=0", MalformedSignatureError),
        (f"t={NOW},v1=", WrongSignatureError),
        (f"t={NOW},v1={'0' * 64}", WrongSignatureError),
        (f"t={NOW},v1=\u20ac\udc80", WrongSignatureError),
    ],
)
def test_headers_that_prove_nothing(header: str | None, error: type[SignatureError]) -> None:
    """Each fault has its own exception, and a reason that says nothing of the secret."""
    with pytest.raises(error) as raised:
        verify(header, BODY, [SECRET], now=NOW)
    assert raised.value.reason
    assert SECRET not in raised.value.reason


def test_no_secret_verifies_nothing() -> None:
    """Without a secret nobody is let in, not even an empty signature."""
    with pytest.raises(WrongSignatureError):
        verify(sign(SECRET, BODY, at=NOW), BODY, [], now=NOW)


@given(st.binary(max_size=200), st.integers(0, 10**11), st.binary(min_size=1, max_size=20))
def test_what_is_signed_cannot_be_changed(body: bytes, at: int, more: bytes) -> None:
    """Neither the body nor the time can be altered under a signature."""
    header = sign(SECRET, body, at=at)
    verify(header, body, [SECRET], now=at)

    with pytest.raises(WrongSignatureError):
        verify(header, body + more, [SECRET], now=at)
    with pytest.raises(WrongSignatureError):
        verify(header.replace(f"t={at}", f"t={at + 1}"), body, [SECRET], now=at)


def node_event(**fields: Any) -> dict[str, Any]:
    """Return the event of a node's creation, with other fields where given."""
    return {
        "timestamp": "2026-11-21T10:00:00.5+01:00",
        "version": 1,
        "type": "nodeCreated",
        "tailnet": "example.com",
        "message": "created",
        "data": {"nodeID": "n1", "deviceName": "gateway-envoy-1.tail1.ts.net"},
        **fields,
    }


@pytest.mark.parametrize(
    ("body", "events", "poison"),
    [
        (b"", 0, 1),
        (b"not json", 0, 1),
        (b"\xff\xfe", 0, 1),
        (b"[" * 100_000, 0, 1),
        (b"[]", 0, 0),
        (b"{}", 0, 1),
        (b"[1, null, [], {}]", 0, 4),
        (b'[{"type": 5}]', 0, 1),
        (b'[{"type": ""}]', 0, 1),
        (b'[{"type": "brandNew"}]', 1, 0),
        (b'{"type": "test"}', 1, 0),
        (b'[{"type": "test", "data": ["list"]}]', 1, 0),
        (b'[{"type": "nodeCreated", "data": {"nodeID": 5}}, {"type": "test"}]', 1, 1),
        (b'[{"type": "nodeCreated", "data": {"deviceName": "\\ud800"}}]', 0, 1),
    ],
)
def test_poison_is_kept_apart(body: bytes, events: int, poison: int) -> None:
    """What cannot be read is kept as text, and spoils nothing beside it."""
    found, kept = parse_events(body)

    assert (len(found), len(kept)) == (events, poison)
    assert all(isinstance(text, str) for text in kept)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nodeCreated", True),
        ("nodeDeleted", True),
        ("nodeApproved", True),
        ("nodeKeyExpired", True),
        ("nodeNeedsApproval", False),
        ("policyUpdate", False),
        ("test", False),
        ("brandNew", False),
    ],
)
def test_which_types_matter(kind: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """Only what may change a gateway's device starts a run."""
    assert Event(node_event(type=kind)).relevant is expected


def test_an_event_refuses_what_is_no_text() -> None:
    """A field of another type is named, so that poison can be understood."""
    with pytest.raises(ValueError, match="nodeID is not text"):
        Event(node_event(data={"nodeID": 5}))


def test_identity_is_the_whole_event() -> None:
    """Order of fields and layout do not matter; anything an event says does."""
    event = node_event()
    shuffled = dict(reversed(event.items()))
    assert canonical_id(event) == canonical_id(shuffled)
    (one,), _ = parse_events(json.dumps([event], indent=3).encode())
    assert one.id == canonical_id(event)

    other = node_event(data={"nodeID": "n2"})
    assert canonical_id(event) != canonical_id(other)


@pytest.mark.parametrize(
    ("device", "managed_by", "expected"),
    [
        ("tailkeeper-prober-3.tail1.ts.net", "", True),
        ("gateway-envoy.tail1.ts.net", "tag:k8s,tag:tailkeeper", True),
        ("gateway-envoy.tail1.ts.net", "tag:k8s", False),
        ("gateway-envoy.tail1.ts.net", "tag:tailkeeper-not", False),
        ("my-tailkeeper-prober.tail1.ts.net", "", False),
    ],
)
def test_our_own_nodes(device: str, managed_by: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """Our prober's node is known by the start of its name or by its tag."""
    event = Event(node_event(data={"deviceName": device, "managedBy": managed_by}))

    assert event.concerns(hostname_prefix="tailkeeper-prober", tag="tag:tailkeeper") is expected
    assert event.concerns() is False


def test_the_bus_carries_only_listed_fields() -> None:
    """Policies and whatever else an event holds stay behind."""
    event = Event(node_event(data={"nodeID": "n1", "newPolicy": "secret plans"}))

    assert event.as_json() == {
        "at": "2026-11-21T10:00:00.5+01:00",
        "device": "",
        "id": event.id,
        "managed_by": "",
        "node_id": "n1",
        "tailnet": "example.com",
        "type": "nodeCreated",
    }


@pytest.mark.parametrize("module", ["tailscale", "git", "flux"])
def test_imports_stay_light(module: str) -> None:
    """A receiver's cold start pays for the standard library, and for none of its heavy parts."""
    code = f"import sys, tailkeeper.webhooks.{module}; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(tailkeeper.__file__).parents[1])},
    )

    heavy = {"dataclasses", "inspect", "asyncio", "http", "logging", "yaml", "tailkeeper.config"}
    assert heavy.isdisjoint(done.stdout.split())


def test_no_depth_of_nesting_is_more_than_poison() -> None:
    """At the edge of what Python recurses into, reading succeeds and writing fails."""
    for depth in (*range(900, 1100), 5_000, 100_000):
        body = b'[{"type":"nodeCreated","data":{"x":' + b"[" * depth + b"]" * depth + b"}}]"

        events, poison = parse_events(body)

        assert len(events) + len(poison) == 1
