"""Webhook endpoints, and the signature of what is sent to them.

Deviation, for the sandbox: beside `https://` on port 443 or 80, plain `http://` is accepted for
loopback addresses, on any port.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.tailscale.answers import Refusal, not_found
from sandbox.tailscale.ids import secret


if TYPE_CHECKING:
    from sandbox.tailscale.ids import Ids

Endpoint = dict[str, Any]

PROVIDERS = frozenset({"slack", "mattermost", "googlechat", "discord"})
MISCONFIGURATIONS = frozenset({"subnetIPForwardingNotEnabled", "exitNodeIPForwardingNotEnabled"})
MANAGEMENT = frozenset(
    {
        "nodeApproved",
        "nodeCreated",
        "nodeDeleted",
        "nodeKeyExpired",
        "nodeKeyExpiringInOneDay",
        "nodeNeedsApproval",
        "nodeNeedsSignature",
        "nodeSigned",
        "policyUpdate",
        "userApproved",
        "userCreated",
        "userDeleted",
        "userNeedsApproval",
        "userRestored",
        "userRoleUpdated",
        "userSuspended",
    }
)
CATEGORIES = {
    "categoryTailnetManagement": MANAGEMENT,
    "categoryDeviceMisconfigurations": MISCONFIGURATIONS,
}
SUBSCRIPTIONS = MANAGEMENT | MISCONFIGURATIONS | CATEGORIES.keys()


def signature(key: str, body: bytes, at: int) -> str:
    """Return the Tailscale-Webhook-Signature of a raw body at epoch second `at`."""
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_subscribed(endpoint: Endpoint, kind: str) -> bool:
    """Say whether the endpoint asked for events of this type, itself or by its category."""
    wanted = endpoint["subscriptions"]
    return kind in wanted or any(kind in CATEGORIES.get(name, ()) for name in wanted)


def check_url(url: str) -> None:
    """Raise Refusal 400 unless events may be sent to the URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refusal(400, f"invalid endpointUrl {url!r}") from None
    if parts.scheme == "http" and _is_loopback(host):
        return
    if parts.scheme != "https" or not host:
        raise Refusal(400, "endpointUrl must be an https URL")
    if port not in {None, 80, 443}:
        raise Refusal(400, "endpointUrl must use port 80 or 443")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_subscriptions(wanted: list[str]) -> None:
    """Raise Refusal 400 unless each is an event type or a category that one can subscribe to."""
    unknown = [kind for kind in wanted if kind not in SUBSCRIPTIONS]
    if unknown or not wanted:
        raise Refusal(400, f"invalid subscriptions {unknown}")


@dataclass
class Webhooks:
    """The endpoints in the wire format; their secrets are apart, shown only when made."""

    ids: Ids
    all: list[Endpoint] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def find(self, endpoint_id: str) -> Endpoint:
        """Return the endpoint of that id; raise Refusal 404 if there is none."""
        for endpoint in self.all:
            if endpoint["endpointId"] == endpoint_id:
                return endpoint
        raise not_found()

    def add(self, wanted: Endpoint, *, creator: str, created: str) -> Endpoint:
        """Add an endpoint and return it; raise Refusal 400 on a bad URL, provider, subscription."""
        check_url(wanted["endpointUrl"])
        check_subscriptions(wanted["subscriptions"])
        provider = wanted.get("providerType", "")
        if provider and provider not in PROVIDERS:
            raise Refusal(400, f"invalid providerType {provider!r}")
        endpoint = {
            "endpointId": self.ids.numeric("webhook"),
            "endpointUrl": wanted["endpointUrl"],
            "creatorLoginName": creator,
            "created": created,
            "lastModified": created,
            "subscriptions": wanted["subscriptions"],
        } | ({"providerType": provider} if provider else {})
        self.all.append(endpoint)
        self.rotate(endpoint)
        return endpoint

    def rotate(self, endpoint: Endpoint) -> None:
        """Give the endpoint a new secret; the old one signs nothing any more."""
        self.secrets[endpoint["endpointId"]] = secret("webhook")

    def with_secret(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint as it is shown when its secret is made."""
        return endpoint | {"secret": self.secrets[endpoint["endpointId"]]}

    def delete(self, endpoint: Endpoint) -> None:
        """Delete the endpoint and its secret."""
        self.all.remove(endpoint)
        del self.secrets[endpoint["endpointId"]]

    def load(self, endpoints: list[Endpoint]) -> None:
        """Replace the endpoints; one that comes without `secret` keeps its own or gets one."""
        loaded = [dict(endpoint) for endpoint in endpoints]
        given = {one["endpointId"]: one.pop("secret") for one in loaded if "secret" in one}
        for endpoint in loaded:
            check_url(endpoint["endpointUrl"])
            check_subscriptions(endpoint["subscriptions"])
        ids = [endpoint["endpointId"] for endpoint in loaded]
        known = self.secrets | given
        self.all, self.secrets = loaded, {one: known.get(one) or secret("webhook") for one in ids}
