"""Tailscale's webhooks: whether a body is signed, and what it says.

Pure, and imported by the receiver, which must stay light: hashlib, hmac and json only.
Rules: tailscale.com/docs/features/webhooks. The header is `t=<epoch seconds>,v1=<hex>`, with as
many `v1` as there are secrets alive; the signature is HMAC-SHA256 over `<t>.<raw body>`.
"""

from __future__ import annotations

import hashlib
import hmac
import json


SIGNATURE_HEADER = "tailscale-webhook-signature"
DAY_AND_AN_HOUR = 25 * 3600  # a failed delivery is repeated hourly for a day
CLOCK_SKEW = 300

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

_MAX_DIGITS = 12


class SignatureError(Exception):
    """The request is not from who holds the secret; `reason` is safe to log and to answer."""

    reason = "refused"


class MissingSignatureError(SignatureError):
    """There is no signature header."""

    reason = "the signature header is missing"


class MalformedSignatureError(SignatureError):
    """The header is not `t=…,v1=…`."""

    reason = "the signature header is not t=<seconds>,v1=<hex>"


class WrongSignatureError(SignatureError):
    """No secret makes any of the signatures."""

    reason = "no signature fits the body"


class StaleSignatureError(SignatureError):
    """The signature is genuine, but its time is too long ago or too far ahead."""

    reason = "the signature's time is outside the tolerance"


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
        self.type = _text(document, "type")
        self.at = _text(document, "timestamp")
        self.tailnet = _text(document, "tailnet")
        self.node_id = _text(details, "nodeID")
        self.device = _text(details, "deviceName")
        self.managed_by = _text(details, "managedBy")
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
    text = f"{signed_at}.".encode() + body
    # A list, so that every pair is compared: any() over a generator would stop at the first match.
    matches = [
        hmac.compare_digest(_signature(secret, text), given)
        for secret in secrets
        for given in signatures
    ]
    if not any(matches):
        raise WrongSignatureError
    if not -future <= now - int(signed_at) <= past:
        raise StaleSignatureError


def sign(secret: str, body: bytes, *, at: int) -> str:
    """Return the header's value that Tailscale would send with `body`."""
    return f"t={at},v1={_signature(secret, f'{at}.'.encode() + body).decode()}"


def parse_header(header: str) -> tuple[str, list[bytes]]:
    """Return the time, as written, and the `v1` signatures; raise MalformedSignatureError.

    Unknown keys are left for newer schemes; a part that is not key=value makes it malformed.
    """
    parts = [part.strip().split("=") for part in header.split(",")]
    if any(len(part) != 2 for part in parts):  # noqa: PLR2004 -- key=value
        raise MalformedSignatureError
    times = [value for key, value in parts if key == "t"]
    signatures = [value.encode(errors="replace") for key, value in parts if key == "v1"]
    if len(times) != 1 or not signatures or not _is_time(times[0]):
        raise MalformedSignatureError
    return times[0], signatures


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _signature(secret: str, text: bytes) -> bytes:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest().encode()


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


def canonical_id(document: object) -> str:
    """Return the SHA-256, in hex, of an event as canonical JSON.

    Tailscale gives deliveries no id. A repeated event is the same event in whatever order its
    fields come; two events of one instant differ in what they say.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _text(document: dict[str, object], key: str) -> str:
    """Return a field's text, "" when absent; raise ValueError if it is no text we can store."""
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{key} is not text")  # noqa: TRY004 -- one poison, one exception
    # A lone surrogate is valid JSON and no valid UTF-8: it would fail only at the bus.
    value.encode()
    return value
