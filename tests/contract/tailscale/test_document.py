"""Every endpoint answers as Tailscale's OpenAPI document says, and asks for the scopes it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api

pytestmark = pytest.mark.anyio

T = "/tailnet/-"
WEBHOOK = {"endpointUrl": "https://example.com/hook", "subscriptions": ["nodeCreated"]}
AUTH = {"capabilities": {"devices": {"create": {"tags": ["tag:k8s"]}}}, "description": "dev-1"}
CLIENT = {"keyType": "client", "scopes": ["dns:read"], "description": "reader of dns"}
SERVICE = {"name": "svc:web", "ports": ["tcp:443"], "tags": ["tag:k8s"], "comment": "Web"}
RESOLVER = {"address": "100.64.0.1", "useWithExitNode": True}
CONFIGURATION = {
    "nameservers": [{"address": "1.1.1.1", "useWithExitNode": False}],
    "splitDNS": {"example.com": [RESOLVER]},
    "searchPaths": ["example.com"],
    "preferences": {"overrideLocalDNS": False, "magicDNS": True},
}
CALLS: list[tuple[str, str, Any]] = [
    ("GET", f"{T}/devices", None),
    ("GET", f"{T}/devices?fields=all", None),
    ("GET", "/device/{device}", None),
    ("GET", "/device/{device}?fields=all", None),
    ("DELETE", "/device/{device}", None),
    ("POST", "/device/{device}/expire", None),
    ("POST", "/device/{device}/name", {"name": "pangolin"}),
    ("POST", "/device/{device}/tags", {"tags": ["tag:k8s"]}),
    ("POST", "/device/{device}/authorized", {"authorized": False}),
    ("POST", "/device/{device}/key", {"keyExpiryDisabled": True}),
    ("POST", "/device/{device}/ip", {"ipv4": "100.80.0.1"}),
    ("GET", f"{T}/dns/nameservers", None),
    ("POST", f"{T}/dns/nameservers", {"dns": ["8.8.8.8"]}),
    ("GET", f"{T}/dns/preferences", None),
    ("POST", f"{T}/dns/preferences", {"magicDNS": False}),
    ("GET", f"{T}/dns/searchpaths", None),
    ("POST", f"{T}/dns/searchpaths", {"searchPaths": ["example.com"]}),
    ("GET", f"{T}/dns/split-dns", None),
    ("PATCH", f"{T}/dns/split-dns", {"example.com": ["100.64.0.1"], "old.example": None}),
    ("PUT", f"{T}/dns/split-dns", {"example.com": ["100.64.0.1"]}),
    ("GET", f"{T}/dns/configuration", None),
    ("POST", f"{T}/dns/configuration", CONFIGURATION),
    ("GET", f"{T}/keys?all=true", None),
    ("POST", f"{T}/keys", AUTH),
    ("POST", f"{T}/keys", CLIENT),
    ("GET", f"{T}/keys/{{key}}", None),
    ("PUT", f"{T}/keys/{{key}}", {"keyType": "client", "scopes": ["dns"], "description": "x"}),
    ("DELETE", f"{T}/keys/{{key}}", None),
    ("GET", f"{T}/webhooks", None),
    ("POST", f"{T}/webhooks", WEBHOOK),
    ("GET", "/webhooks/{webhook}", None),
    ("PATCH", "/webhooks/{webhook}", {"subscriptions": ["nodeDeleted"]}),
    ("DELETE", "/webhooks/{webhook}", None),
    ("POST", "/webhooks/{webhook}/test", None),
    ("POST", "/webhooks/{webhook}/rotate", None),
    ("GET", f"{T}/settings", None),
    ("PATCH", f"{T}/settings", {"devicesKeyDurationDays": 90, "httpsEnabled": False}),
    ("GET", f"{T}/acl", None),
    ("POST", f"{T}/acl", '{"tagOwners": {"tag:k8s": []}, /* all */ "acls": [],}'),
    ("POST", f"{T}/acl/validate", '{"acls": []}'),
    *(
        (method, f"{T}/{services}{path}", body)
        for services in ("services", "vip-services")
        for method, path, body in [
            ("GET", "", None),
            ("GET", "/svc:api", None),
            ("PUT", "/svc:web", SERVICE),
            ("PUT", "/svc:api", SERVICE | {"name": "svc:renamed"}),
            ("DELETE", "/svc:api", None),
            ("GET", "/svc:api/devices", None),
            ("GET", "/svc:api/device/{device}/approved", None),
            ("POST", "/svc:api/device/{device}/approved", {"approved": False}),
        ]
    ),
]
IDS = [f"{method} {path}" for method, path, _ in CALLS]


async def furnish(api: Api) -> dict[str, str]:
    """Put one thing of each kind into the tailnet and return their ids."""
    device = api.tailscale.register("gateway", tags=["tag:k8s"])
    client = await api("POST", f"{T}/keys", CLIENT)
    webhook = await api("POST", f"{T}/webhooks", WEBHOOK)
    await api("PUT", f"{T}/services/svc:api", {"name": "svc:api", "ports": ["tcp:443"]})
    api.tailscale.vips.host("svc:api", device["nodeId"])
    api.tailscale.courier.pending.clear()
    return {
        "device": device["nodeId"],
        "key": client.json["id"],
        "webhook": webhook.json["endpointId"],
    }


def fill(path: str, ids: dict[str, str]) -> str:
    """Return the path with the ids in it."""
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=IDS)
async def test_call_fits_the_document(api: Api, method: str, path: str, body: Any) -> None:
    """Request and answer fit the schemas of the operation: the client checks both."""
    ids = await furnish(api)

    answer = await api(method, fill(path, ids), body)

    assert answer.status in {200, 202}, answer.text


async def test_every_route_is_in_the_table(api: Api) -> None:
    """No endpoint is served that the table above does not hold to the document."""
    served = {
        (route.method, bare(route.resource.canonical.removeprefix("/api/v2")))
        for route in api.tailscale._runners[0].app.router.routes()
        if route.resource
    }

    tried = {
        (method, bare(path))
        for method, called, _ in CALLS
        for path in (api.document.template(fill(called.partition("?")[0], ANY)),)
    }
    renamed = {(m, p.replace("/services", "/vip-services")) for m, p in tried if "/services" in p}

    assert tried | renamed | {("POST", "/oauth/token")} == served


ANY = {"device": "n1CNTRL", "key": "k1CNTRL", "webhook": "1"}


def bare(path: str) -> str:
    """Return a path template without the names of its parameters."""
    return re.sub(r"\{\w+\}", "*", path)


def documented_scopes(api: Api, method: str, path: str) -> list[str]:
    """Return the scopes that the document asks for, in its prose."""
    description = api.document.operation(method, path)["description"]
    found = re.search(r"OAuth Scope: (.+)", description)
    return re.findall(r"`([a-z_:]+)`", found[1]) if found else []


BY_KIND = ("/keys", "/settings")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [call for call in CALLS if not any(part in call[1] for part in BY_KIND)],
    ids=[name for name in IDS if not any(part in name for part in BY_KIND)],
)
async def test_call_needs_the_documented_scopes(
    api: Api, method: str, path: str, body: Any
) -> None:
    """The scopes that the document names are enough, and each of them is needed."""
    path = fill(path, await furnish(api))
    needed = documented_scopes(api, method, path.partition("?")[0]) or [
        "dns:read" if method == "GET" else "dns"
    ]

    for missing in needed:
        writes = {"devices:core", "services", "webhooks", "policy_file", "dns", "auth_keys"}
        others = sorted(writes - {missing.removesuffix(":read")})
        refused = await api(method, path, body, token=await api.token_for(*others))
        hidden = "services" in missing
        assert refused.status == (404 if hidden else 403)
        assert refused.json == {"message": "not found" if hidden else FORBIDDEN}
    allowed = await api(method, path, body, token=await api.token_for(*needed))
    assert allowed.status in {200, 202}, allowed.text


FORBIDDEN = "calling actor does not have enough permissions to perform this function"


@pytest.mark.parametrize("field", ["Device", "Key", "Webhook", "VIPServiceInfo"])
async def test_no_field_is_invented(api: Api, field: str) -> None:
    """What the tailnet lists has no field that the document does not know."""
    await furnish(api)
    await api("POST", f"{T}/keys", AUTH)
    path, part = {
        "Device": ("/devices?fields=all", "devices"),
        "Key": ("/keys?all=true", "keys"),
        "Webhook": ("/webhooks", "webhooks"),
        "VIPServiceInfo": ("/services", "vipServices"),
    }[field]

    listed = (await api("GET", f"{T}{path}")).json[part]

    assert listed
    for item in listed:
        api.document.check_named(field, item)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/nothing", 404, '{"message": "404 page not found"}'),
        ("GET", "/tailnet/create/devices", 404, '{"message": "tailnet \\"create\\" not found"}'),
        ("PUT", "/tailnet/-/devices", 405, ""),
        ("GET", "/device/nOTHERCNTRL", 404, "no manageable device matching this ID found"),
        ("DELETE", "/tailnet/-/keys/nothing", 400, "invalid key ID"),
        ("GET", "/tailnet/-/keys/kNOTHINGCNTRL", 404, "not found"),
        ("GET", "/webhooks/1", 404, "not found"),
        ("GET", "/tailnet/-/services/svc:none", 404, "not found"),
    ],
)
async def test_refusals_seen_on_the_live_api(
    api: Api, method: str, path: str, status: int, text: str
) -> None:
    """Unknown things are refused with the live API's status and text."""
    answer = await api(method, path)

    assert answer.status == status
    assert text in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{T}/dns/nameservers", "not json"),
        ("POST", f"{T}/dns/nameservers", ["1.1.1.1"]),
        ("POST", f"{T}/dns/nameservers", {"dns": ["resolver.example"]}),
        ("POST", f"{T}/dns/preferences", {}),
        ("POST", f"{T}/dns/preferences", {"magicDNS": "yes"}),
        ("POST", f"{T}/dns/searchpaths", {"searchPaths": ["not a domain"]}),
        ("PATCH", f"{T}/dns/split-dns", {"example.com": "1.1.1.1"}),
        ("PATCH", f"{T}/dns/split-dns", {"example.com": ["ns.example.com"]}),
        ("PUT", f"{T}/dns/split-dns", {"-bad-": ["1.1.1.1"]}),
        ("POST", f"{T}/dns/configuration", {"splitDNS": {"example.com": ["1.1.1.1"]}}),
        ("POST", f"{T}/dns/configuration", {"preferences": {"magicDNS": True}}),
        ("PATCH", f"{T}/settings", {"devicesKeyDurationDays": 181}),
        ("PATCH", f"{T}/settings", {"usersRoleAllowedToJoinExternalTailnets": []}),
        ("POST", f"{T}/acl", '{"acls": ['),
        ("POST", f"{T}/acl", '{"tagOwners": {"k8s": []}}'),
        ("POST", f"{T}/webhooks", {"endpointUrl": "https://example.com"}),
        ("POST", f"{T}/webhooks", WEBHOOK | {"endpointUrl": "http://example.com/hook"}),
        ("POST", f"{T}/webhooks", WEBHOOK | {"endpointUrl": "https://example.com:8443/hook"}),
        ("POST", f"{T}/webhooks", WEBHOOK | {"subscriptions": ["test"]}),
        ("POST", f"{T}/webhooks", WEBHOOK | {"subscriptions": []}),
        ("POST", f"{T}/webhooks", WEBHOOK | {"providerType": "teams"}),
        ("GET", f"{T}/devices?fields=some", None),
        ("GET", f"{T}/devices?clientConnectivity=x", None),
    ],
)
async def test_nonsense_is_refused(api: Api, method: str, path: str, body: Any) -> None:
    """A bad body or query is a 400 with a message, and changes nothing."""
    api.tailscale.register("gateway", tags=["tag:k8s"])
    before = api.tailscale.dump()

    answer = await api(method, path, body)

    assert answer.status == 400
    assert answer.json["message"]
    assert api.tailscale.dump() == before
