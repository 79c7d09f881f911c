"""Who may do what: tokens, their scopes, their lives, and how often they may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.cloudflare.tokens import ACCOUNT, IDS, USER, ZONE


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.cloudflare.conftest import Rig


def policy(resource: str, *titles: str, effect: str = "allow") -> dict[str, Any]:
    """Return one policy over one resource."""
    groups = [{"id": IDS[title]} for title in titles]
    return {"effect": effect, "permission_groups": groups, "resources": {resource: "*"}}


def minted(rig: Rig, *policies: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a fresh token, its value included."""
    body = {"name": "test", "policies": list(policies), **fields}
    result: dict[str, Any] = rig.http.post("/user/tokens", json=body).json()["result"]
    return result


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 400, 9106),
        ("Bearer", 400, 6003),
        ("Bearer two words", 400, 6003),
        ("Basic dXNlcjpw", 400, 6003),
        ("Bearer unknown", 403, 9109),
    ],
)
def test_a_stranger_is_turned_away(rig: Rig, header: str | None, status: int, code: int) -> None:
    """No header, a malformed one and an unknown token have Cloudflare's own answers."""
    headers = {"Authorization": header} if header else {}
    answer = httpx.get(f"{rig.stand_in.base_url}/client/v4/zones", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert answer.json()["success"] is False


def test_a_token_lives_by_the_sdk(rig: Rig, conforms: Callable[[Any, str], None]) -> None:
    """Create shows the value once; verify, list, get, update, roll and delete do as documented."""
    tokens = rig.sdk.user.tokens
    wanted: Any = [policy(f"{ZONE}.{rig.zone.id}", "DNS Write", "Zone Read")]
    made = tokens.create(name="dns", policies=wanted, expires_on="2030-01-01T00:00:00Z")
    assert made
    assert made.id
    assert made.value

    mine = rig.sdk_as(made.value)
    proof = mine.user.tokens.verify()
    assert proof
    assert (proof.id, proof.status) == (made.id, "active")
    assert made.id in [token.id for token in tokens.list()]
    shown = rig.http.get(f"/user/tokens/{made.id}").json()["result"]
    conforms(shown, "token.Token")
    assert "value" not in shown

    update = tokens.update(made.id, name="dns-2", policies=wanted)
    assert update
    assert update.name == "dns-2"
    rolled = tokens.value.update(made.id)
    assert rolled != made.value
    assert httpx.get(f"{mine.base_url}zones", headers=rig.as_token(made.value)).status_code == 403
    assert httpx.get(f"{mine.base_url}zones", headers=rig.as_token(rolled)).status_code == 200

    gone = tokens.delete(made.id)
    assert gone
    assert gone.id == made.id
    verify = httpx.get(f"{mine.base_url}user/tokens/verify", headers=rig.as_token(rolled))
    assert (verify.status_code, verify.json()["errors"][0]["code"]) == (401, 1000)


def test_an_account_owned_token_is_verified_by_its_account(
    rig: Rig, conforms: Callable[[Any, str], None]
) -> None:
    """The account's routes know it, the user's do not."""
    account = rig.stand_in.account.id
    wanted: Any = [policy(f"{ACCOUNT}.{account}", "DNS Read", "Zone Read")]
    made = rig.sdk.accounts.tokens.create(account_id=account, name="ci", policies=wanted)
    assert made
    assert made.value
    headers = rig.as_token(made.value)

    right = rig.http.get(f"/accounts/{account}/tokens/verify", headers=headers)
    wrong = rig.http.get("/user/tokens/verify", headers=headers)

    conforms(right.json()["result"], "token_verify_response.TokenVerifyResponse")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (401, 1000)
    assert rig.http.get(f"/user/tokens/{made.id}").status_code == 404
    assert rig.http.get(rig.records, headers=headers).is_success


@pytest.mark.parametrize(
    ("titles", "seen", "expected"),
    [
        (["DNS Write", "Zone Read"], ["example.com"], {"zone": 200, "read": 200, "write": 200}),
        (["DNS Read", "Zone Read"], ["example.com"], {"zone": 200, "read": 200, "write": 403}),
        (["DNS Read"], [], {"zone": 403, "read": 200, "write": 403}),
        (["Zone Write"], ["example.com"], {"zone": 200, "read": 403, "write": 403}),
        (["API Tokens Write"], [], {"zone": 403, "read": 403, "write": 403}),
    ],
)
def test_a_scoped_token_does_what_its_groups_say(
    rig: Rig, titles: list[str], seen: list[str], expected: dict[str, int]
) -> None:
    """Zone permissions do not open records, reading does not write, other zones stay unseen."""
    token = minted(rig, policy(f"{ZONE}.{rig.zone.id}", *titles))
    headers = rig.as_token(token["value"])
    record = {"name": "a", "type": "A", "content": "192.0.2.1"}

    answers = {
        "zone": rig.http.get(f"/zones/{rig.zone.id}", headers=headers),
        "read": rig.http.get(rig.records, headers=headers),
        "write": rig.http.post(rig.records, headers=headers, json=record),
    }

    assert {what: answer.status_code for what, answer in answers.items()} == expected
    listed = rig.http.get("/zones", headers=headers).json()["result"]
    assert [zone["name"] for zone in listed] == seen
    other = rig.stand_in.zone_of("example.org")
    assert other
    foreign = rig.http.get(f"/zones/{other.id}/dns_records", headers=headers)
    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (403, 10000)


def test_a_deny_outweighs_an_allow(rig: Rig) -> None:
    """All zones but one: the denied zone stays shut."""
    denied = policy(f"{ZONE}.{rig.zone.id}", "DNS Write", "Zone Read", effect="deny")
    token = minted(rig, policy(f"{ZONE}.*", "DNS Write", "Zone Read"), denied)
    listed = rig.http.get("/zones", headers=rig.as_token(token["value"])).json()["result"]
    assert [zone["name"] for zone in listed] == ["example.org"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"expires_on": "2027-01-15T08:00:01Z"}, "expired"), ({"status": "disabled"}, "disabled")],
)
def test_an_expired_or_disabled_token_is_dead(
    rig: Rig, fields: dict[str, Any], status: str
) -> None:
    """It is still listed with its status, and opens nothing."""
    token = minted(rig, policy(f"{ZONE}.*", "Zone Read"), **fields)
    rig.clock.at[0] += 2

    answer = rig.http.get("/zones", headers=rig.as_token(token["value"]))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, 9109)
    assert rig.http.get(f"/user/tokens/{token['id']}").json()["result"]["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "policies": [policy(f"{ZONE}.*", "DNS Read")]},
        {"name": "x", "policies": []},
        {"name": "x", "policies": [{"effect": "allow"}]},
        {"name": "x", "policies": [policy(f"{ZONE}.*", "DNS Read") | {"effect": "maybe"}]},
        {"name": "x", "policies": [policy(USER, "DNS Read")], "expires_on": "tomorrow"},
        {"name": "x", "policies": [policy(f"{ZONE}.*", "DNS Read") | {
            "permission_groups": [{"id": "0" * 32}]}]},
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_is_not_made(rig: Rig, body: dict[str, Any]) -> None:
    """A request without a name, a valid policy or a real time is refused."""
    assert rig.http.post("/user/tokens", json=body).status_code == 400
    assert len(rig.stand_in.account.tokens) == 1


def test_only_who_may_write_tokens_writes_them(rig: Rig) -> None:
    """A DNS token cannot mint, list or roll."""
    token = minted(rig, policy(f"{ZONE}.*", "DNS Write"))
    headers = rig.as_token(token["value"])
    path = f"/user/tokens/{token['id']}"
    statuses = [
        rig.http.get("/user/tokens", headers=headers).status_code,
        rig.http.post("/user/tokens", headers=headers, json={}).status_code,
        rig.http.put(f"{path}/value", headers=headers, json={}).status_code,
        rig.http.delete(path, headers=headers).status_code,
    ]
    assert statuses == [403] * 4


def test_the_permission_groups_can_be_asked_for(rig: Rig) -> None:
    """The SDK finds the id of a group by its name."""
    groups = rig.sdk.user.tokens.permission_groups.list()
    assert {group.name: group.id for group in groups} == IDS


def test_twelve_hundred_requests_in_five_minutes_and_no_more(rig: Rig) -> None:
    """Request 1,201 is a 429 until the window ends; another token is not concerned."""
    other = minted(rig, policy(f"{ZONE}.*", "Zone Read"))
    for _ in range(1199):
        rig.stand_in.account.limiter.count(next(iter(rig.stand_in.account.tokens)), rig.clock.now())
    rig.clock.at[0] += 100

    refused = rig.http.get("/zones")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, 971)
    assert refused.headers["retry-after"] == "200"
    assert refused.headers["ratelimit"] == '"default";r=0;t=200'
    assert refused.headers["ratelimit-policy"] == '"default";q=1200;w=300'
    passed = rig.http.get("/zones", headers=rig.as_token(other["value"]))
    assert passed.headers["ratelimit"] == '"default";r=1199;t=300'
    rig.clock.at[0] += 200
    assert rig.http.get("/zones").headers["ratelimit"] == '"default";r=1199;t=300'
