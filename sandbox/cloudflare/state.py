"""The account as JSON: what the admin API shows, and what the saved file holds besides."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.cloudflare.account import Account
from sandbox.cloudflare.tokens import Token, new_token


def shown(account: Account) -> dict[str, Any]:
    """Return the state without any token's value."""
    return {
        "zones": [
            {
                "id": zone.id,
                "name": zone.name,
                "plan": zone.plan.legacy_id,
                "name_servers": zone.name_servers,
                "records": [record.wire for record in zone.records],
            }
            for zone in account.zones.values()
        ],
        "tokens": [_token_shown(token) for token in account.tokens.values()],
    }


def saved(account: Account, bootstrapped: list[str]) -> bytes:
    """Return the file's content; records are not encoded again, for zones of 50,000."""
    zones = [
        f'{{"id": "{zone.id}", "name": "{zone.name}", "plan": "{zone.plan.legacy_id}", '
        f'"records": [{",".join(record.text for record in zone.by_id.values())}]}}'
        for zone in account.zones.values()
    ]
    tokens = [_token_shown(t) | {"value": t.value} for t in account.tokens.values()]
    rest = json.dumps({"tokens": tokens, "bootstrapped": bootstrapped})
    return f'{{"zones": [{",".join(zones)}], {rest[1:]}'.encode()


def loaded(account: Account, state: dict[str, Any]) -> None:
    """Replace what the state names; without `tokens`, or without a value, the old ones stay.

    Records without ids get ids. Raise ValueError for a record, plan or token that cannot be.
    """
    scratch = Account(clock=account.clock)
    for document in state["zones"]:
        plan = document.get("plan") or "free"
        legacy = plan.get("legacy_id", "free") if isinstance(plan, dict) else plan
        zone = scratch.add_zone(document["name"], plan=legacy, zone_id=document.get("id", ""))
        for wire in document.get("records", []):
            zone.restore(wire)
    if "tokens" in state:
        tokens = [_token(account, document) for document in state["tokens"]]
        account.tokens = {token.id: token for token in tokens}
    account.zones = scratch.zones


def fingerprint(value: str) -> str:
    """Return what is remembered of a token value that was handed out once."""
    return hashlib.sha256(value.encode()).hexdigest()


def _token_shown(token: Token) -> dict[str, Any]:
    return token.wire | ({"account_id": token.account} if token.account else {})


def _token(account: Account, document: dict[str, Any]) -> Token:
    old = account.tokens.get(document.get("id", ""))
    value = document.get("value") or (old.value if old else "")
    owner = document.get("account_id", "")
    token = new_token(document, at=account.stamp(), account=owner, value=value)
    unseen = {k: v for k, v in document.items() if k not in {"value", "account_id", "policies"}}
    token.wire |= unseen
    return token
