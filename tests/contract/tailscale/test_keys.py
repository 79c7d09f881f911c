"""Keys: what may be created, who sees them, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api, Options

pytestmark = pytest.mark.anyio

KEYS = "/tailnet/-/keys"
DAY = 86_400
TAGGED = {"create": {"tags": ["tag:k8s"]}}
AUTH: dict[str, Any] = {"capabilities": {"devices": TAGGED}}
CLIENT = {"keyType": "client", "scopes": ["dns:read"]}
FEDERATED = {
    "keyType": "federated",
    "scopes": ["devices:core:read"],
    "issuer": "https://token.example.com",
    "subject": "role-*",
    "customClaimRules": {"ref": "main"},
}


async def test_an_auth_key_has_its_defaults(api: Api) -> None:
    """An auth key lasts 90 days (Go sends 0 and null), and its secret is shown once."""
    wanted = AUTH | {"expirySeconds": 0, "description": ""}

    key = (await api("POST", KEYS, wanted)).json

    create = key["capabilities"]["devices"]["create"]
    assert key["key"].startswith(f"tskey-auth-{key['id']}-")
    assert key["expirySeconds"] == 90 * DAY
    assert create == {
        "reusable": False,
        "ephemeral": False,
        "preauthorized": False,
        "tags": ["tag:k8s"],
    }
    assert "key" not in (await api("GET", f"{KEYS}/{key['id']}")).json


async def test_a_federated_identity_gets_an_audience(api: Api) -> None:
    """A federated identity has no secret; Tailscale makes its audience up."""
    key = (await api("POST", KEYS, FEDERATED)).json

    assert key["audience"] == f"api.tailscale.com/TsandboxCNTRL-{key['id']}"
    assert key["issuer"] == FEDERATED["issuer"]
    assert "key" not in key


@pytest.mark.parametrize(
    "body",
    [
        {"keyType": "api", "scopes": ["all"]},
        {},
        {"capabilities": {}},
        {"capabilities": {"devices": {"create": ["tag:k8s"]}}},
        {"capabilities": {"devices": {"create": {"tags": "tag:k8s"}}}},
        {"capabilities": {"devices": {"create": {"tags": ["tag:unknown"]}}}},
        AUTH | {"expirySeconds": 90 * DAY + 1},
        AUTH | {"expirySeconds": -1},
        AUTH | {"expirySeconds": "day"},
        AUTH | {"description": "x" * 51},
        AUTH | {"description": "no_underscore"},
        CLIENT | {"scopes": []},
        CLIENT | {"scopes": ["dns:write"]},
        CLIENT | {"scopes": ["devices:core"]},
        CLIENT | {"scopes": ["auth_keys"], "tags": ["tag:unknown"]},
        FEDERATED | {"issuer": "http://token.example.com"},
        FEDERATED | {"subject": ""},
        FEDERATED | {"customClaimRules": {"ref": 1}},
    ],
)
async def test_bad_keys_are_refused(api: Api, body: dict[str, Any]) -> None:
    """What the document rules out is a 400, and no key is made."""
    before = api.tailscale.dump()["keys"]

    answer = await api("POST", KEYS, body)

    assert answer.status == 400
    assert answer.json["message"]
    assert api.tailscale.dump()["keys"] == before


@pytest.mark.parametrize(
    ("scopes", "tags", "body", "status"),
    [
        (["auth_keys"], ["tag:k8s"], AUTH, 200),
        (["auth_keys"], ["tag:k8s-operator"], AUTH, 200),
        (["auth_keys"], ["tag:k8s-operator"], {"capabilities": {"devices": {}}}, 400),
        (["auth_keys"], ["tag:k8s", "tag:k8s-operator"], AUTH, 200),
        (["auth_keys"], ["tag:k8s", "tag:ci"], AUTH, 400),
        (["oauth_keys"], [], AUTH, 403),
        (["oauth_keys"], [], CLIENT, 403),
        (["oauth_keys", "dns"], [], CLIENT, 200),
        (["auth_keys", "dns"], ["tag:k8s"], CLIENT, 403),
    ],
)
async def test_a_trust_credential_hands_out_what_it_has(
    api: Api, scopes: list[str], tags: list[str], body: dict[str, Any], status: int
) -> None:
    """Tags must be all of the client's or owned by one of them; scopes must be the client's own."""
    policy = (
        '{"tagOwners": {"tag:k8s-operator": [], "tag:ci": [], "tag:k8s": ["tag:k8s-operator"]}}'
    )
    await api("POST", "/tailnet/-/acl", policy)
    client = {"keyType": "client", "scopes": scopes, "tags": tags}
    token = await api.token_of((await api("POST", KEYS, client)).json)

    answer = await api("POST", KEYS, body, token=token)

    assert answer.status == status, answer.text
    if status == 200:
        assert answer.json["userId"] == ""


async def test_each_sees_its_own_keys(api: Api) -> None:
    """Without `all`, a user sees its own keys and a client the OAuth clients; scopes limit both."""
    made = {
        kind: (await api("POST", KEYS, body)).json["id"]
        for kind, body in {"auth": AUTH, "client": CLIENT, "federated": FEDERATED}.items()
    }
    admin_client, reader = api.tailscale.oauth_client_id, await api.token_for("auth_keys:read")
    everyone = await api.token_for("all:read")

    async def seen(query: str, token: str | None = None) -> set[str]:
        listed = (await api("GET", f"{KEYS}{query}", token=token)).json["keys"]
        return {key["id"] for key in listed}

    assert set(made.values()) <= await seen("")
    assert admin_client not in await seen("")
    assert {admin_client, *made.values()} <= await seen("?all=true")
    assert await seen("?all=true", reader) == {made["auth"]}
    assert await seen("", reader) == set()
    assert {admin_client, made["client"]} <= await seen("", everyone)
    assert made["auth"] not in await seen("", everyone)


async def test_everybody_may_look_at_the_key_in_use(api: Api) -> None:
    """A token without key scopes sees the client behind it, and no other key."""
    token = await api.token_for("dns")
    mine = next(k for k in api.tailscale.keys.tokens if k["token"] == token)

    for key_id in (mine["id"], mine["client"]):
        assert (await api("GET", f"{KEYS}/{key_id}", token=token)).status == 200
    assert (await api("GET", f"{KEYS}/kSANDBOXaCNTRL", token=token)).status == 403


async def test_a_deleted_key_stays_visible(api: Api) -> None:
    """A revoked key is out of the list, and `GET` shows it as invalid since when."""
    key = (await api("POST", KEYS, CLIENT)).json

    assert (await api("DELETE", f"{KEYS}/{key['id']}")).status == 200

    shown = (await api("GET", f"{KEYS}/{key['id']}")).json
    listed = (await api("GET", f"{KEYS}?all=true")).json["keys"]
    assert shown["invalid"] is True
    assert shown["revoked"] == "2026-09-21T14:13:20Z"
    assert key["id"] not in {one["id"] for one in listed}
    assert (await api("PUT", f"{KEYS}/{key['id']}", CLIENT)).status == 400
    assert (await api("DELETE", f"{KEYS}/{key['id']}")).status == 404


async def test_an_expired_auth_key_is_invalid(api: Api, options: Options) -> None:
    """An auth key turns invalid when its time is over."""
    key = (await api("POST", KEYS, AUTH | {"expirySeconds": DAY})).json

    options.world.time += DAY

    assert (await api("GET", f"{KEYS}/{key['id']}")).json["invalid"] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": ["dns"], "tags": [], "description": "wider"}, 200),
        ({"scopes": ["auth_keys"], "tags": ["tag:k8s"]}, 200),
        ({"scopes": ["auth_keys"]}, 400),
        ({"keyType": "federated", "scopes": ["dns"]}, 400),
        ({"scopes": []}, 400),
    ],
)
async def test_a_client_is_changed_as_a_whole(api: Api, body: dict[str, Any], status: int) -> None:
    """`PUT` replaces scopes, tags and description, under the rules of creation."""
    key = (await api("POST", KEYS, CLIENT | {"description": "narrow"})).json

    answer = await api("PUT", f"{KEYS}/{key['id']}", body)

    assert answer.status == status
    if status == 200:
        assert answer.json["scopes"] == body["scopes"]
        assert answer.json["tags"] == body.get("tags", [])
        assert answer.json["description"] == body.get("description", "")


async def test_an_auth_key_cannot_be_changed(api: Api) -> None:
    """Only trust credentials can be edited."""
    key = (await api("POST", KEYS, AUTH)).json

    assert (await api("PUT", f"{KEYS}/{key['id']}", CLIENT)).status == 400
