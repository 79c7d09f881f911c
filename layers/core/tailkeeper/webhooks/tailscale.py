"""Tailscale's webhooks: whether a body is signed, and what it says.

Pure, and imported by the receiver, which must stay light.
Rules: tailscale.com/docs/features/webhooks. The header is `t=<epoch seconds>,v1=<hex>`, with as
many `v1` as there are secrets alive; the signature is HMAC-SHA256 over `<t>.<raw body>`.
"""

from __future__ import annotations

import json

from tailkeeper.webhooks.signatures import (
    CLOCK_SKEW,
    MalformedSignatureError,
    MissingSignatureError,
    StaleSignatureError,
    hex_hmac,
    is_time,
    require_match,
)
from tailkeeper.webhooks.untrusted import canonical_id, text


SIGNATURE_HEADER = "tailscale-webhook-signature"
DAY_AND_AN_HOUR = 25 * 3600  # a failed delivery is repeated hourly for a day

RELEVANT = frozenset(
    {
        "nodeCreated",
        "nodeDeleted",
        "nodeApproved",
        "nodeAuthorized",
        "nodeSigned",
        "nodeKeyExpired",
    }
)
"""The event types after which a gateway's device may be another one, or gone."""


class Event:
    """One event, reduced to what the bus may carry; `id` is the SHA-256 of the whole event.

    `type`, `at` (RFC 3339), `tailnet`, `node_id`, `device` (MagicDNS name) and `managed_by` are
    Tailscale's words; those that do not apply to the type are "".
    """

    __slots__ = ("at", "device", "id", "managed_by", "node_id", "tailnet", "type")

    def __init__(self, document: dict[str, object]) -> None:
        data = document.get("data")
        details = data if isinstance(data, dict) else {}
        self.id = canonical_id(document)
        self.type = text(document, "type")
        self.at = text(document, "timestamp")
        self.tailnet = text(document, "tailnet")
        self.node_id = text(details, "nodeID")
        self.device = text(details, "deviceName")
        self.managed_by = text(details, "managedBy")
        if not self.type:
            raise ValueError("an event without a type")

    @property
    def relevant(self) -> bool:
        """Return whether this type of event can move an answer."""
        return self.type in RELEVANT

    def concerns(self, *, hostname_prefix: str = "", tag: str = "") -> bool:
        """Return whether the event's node has our prober's hostname or tag.

        A tailnet node of ours comes and goes with every cold start of a function; its events
        must start nothing, or they would start themselves.
        """
        by_name = bool(hostname_prefix) and self.device.startswith(hostname_prefix)
        return by_name or (bool(tag) and tag in self.managed_by.split(","))

    def as_json(self) -> dict[str, str]:
        """Return the whitelisted fields, as the bus carries them."""
        return {name: getattr(self, name) for name in self.__slots__}


def verify(
    header: str | None,
    body: bytes,
    secrets: list[str] | tuple[str, ...],
    *,
    now: float,
    past: float = DAY_AND_AN_HOUR,
    future: float = CLOCK_SKEW,
) -> None:
    """Return if one of `secrets` signed `body` at most `past` seconds ago; raise SignatureError.

    `now` is in epoch seconds. Every secret is compared with every signature, in constant time.
    """
    if not header:
        raise MissingSignatureError
    signed_at, signatures = parse_header(header)
    signed = f"{signed_at}.".encode() + body
    require_match(signatures, [hex_hmac(secret.encode(), signed) for secret in secrets])
    if not -future <= now - int(signed_at) <= past:
        raise StaleSignatureError


def sign(secret: str, body: bytes, *, at: int) -> str:
    """Return the header's value that Tailscale would send with `body`."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hex_hmac(secret.encode(), signed).decode()}"


def parse_header(header: str) -> tuple[str, list[str]]:
    """Return the time, as written, and the `v1` signatures; raise MalformedSignatureError.

    Unknown keys are left for newer schemes; a part that is not key=value makes it malformed.
    """
    parts = [part.strip().split("=") for part in header.split(",")]
    if any(len(part) != 2 for part in parts):  # noqa: PLR2004 -- key=value
        raise MalformedSignatureError
    times = [value for key, value in parts if key == "t"]
    signatures = [value for key, value in parts if key == "v1"]
    if len(times) != 1 or not signatures or not is_time(times[0]):
        raise MalformedSignatureError
    return times[0], signatures


def parse_events(body: bytes) -> tuple[list[Event], list[str]]:
    """Return the events of a signed body, and its poison: what cannot be read, as text to keep.

    Tailscale sends an array; one bad element does not spoil the others.
    """
    try:
        documents = json.loads(body)
    except (ValueError, RecursionError):
        return [], [body.decode(errors="replace")]
    events, poison = [], []
    for document in documents if isinstance(documents, list) else [documents]:
        try:
            events.append(Event(document))
        except RecursionError:  # so deep that it can be read, and not written again
            poison.append(body.decode(errors="replace"))
        except (ValueError, AttributeError):
            poison.append(json.dumps(document))
    return events, poison
