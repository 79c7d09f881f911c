"""Auth keys, OAuth clients, federated identities, API keys and the access tokens clients get.

Keys are kept in the wire format without their `key`; what was handed out once is apart from them,
so that the admin API does not show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal, not_found
from sandbox.tailscale.ids import secret
from sandbox.tailscale.times import seconds, stamp


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tailscale.ids import Ids

Key = dict[str, Any]

TOKEN_SECONDS = 3600
SECRET_KINDS = {"auth": "auth", "client": "client", "api": "api"}
SCOPE_OF_KIND = {
    "auth": "auth_keys",
    "client": "oauth_keys",
    "federated": "federated_keys",
    "api": "api_access_tokens",
}


@dataclass
class Keys:
    """Every key of the tailnet; `now` gives epoch seconds."""

    ids: Ids
    now: Callable[[], float]
    all: list[Key] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: list[Key] = field(default_factory=list)

    def add(self, key: Key, *, value: str = "") -> Key:
        """Add a key, with an id and new key material where there is none; return it."""
        kind = key["keyType"]
        stamped = {"created": stamp(self.now()), "updated": stamp(self.now())}
        key = {"id": self.ids.opaque("key", "k")} | stamped | key
        self.all.append(key)
        if kind in SECRET_KINDS:
            self.secrets[key["id"]] = value or secret(SECRET_KINDS[kind], key["id"])
        return key

    def find(self, key_id: str) -> Key:
        """Return the key or access token of that id; raise Refusal 400 or 404."""
        for key in (*self.all, *self.tokens):
            if key["id"] == key_id:
                return key
        if not key_id.endswith(("CNTRL", "DEVEL")):
            raise Refusal(400, "invalid key ID")
        raise not_found()

    def is_valid(self, key: Key) -> bool:
        """Say whether the key is neither revoked nor expired."""
        alive = "expires" not in key or seconds(key["expires"]) > self.now()
        return alive and "revoked" not in key

    def view(self, key: Key) -> Key:
        """Return the key as the API shows it."""
        shown = {k: v for k, v in key.items() if k not in {"token", "client"}}
        return shown if self.is_valid(key) else shown | {"invalid": True}

    def with_secret(self, key: Key) -> Key:
        """Return the key as the API shows it once, when it is created."""
        value = self.secrets.get(key["id"])
        return self.view(key) | ({"key": value} if value else {})

    def revoke(self, key: Key) -> None:
        """Revoke the key; the access tokens of an OAuth client die with it."""
        key["revoked"] = stamp(self.now())
        self.tokens = [token for token in self.tokens if token["client"] != key["id"]]

    def by_secret(self, value: str) -> Key | None:
        """Return the valid key that this key material belongs to."""
        for key in self.all:
            if self.secrets.get(key["id"]) == value and self.is_valid(key):
                return key
        return None

    def by_token(self, value: str) -> Key | None:
        """Return the access token with this value, unless it has expired."""
        for token in self.tokens:
            if token["token"] == value and self.is_valid(token):
                return token
        return None

    def grant(self, client: Key, scopes: list[str], tags: list[str]) -> Key:
        """Return a new access token of an OAuth client; it lives for an hour."""
        self.tokens = [token for token in self.tokens if self.is_valid(token)]
        token_id = self.ids.opaque("key", "k")
        token = {
            "id": token_id,
            "keyType": "api",
            "created": stamp(self.now()),
            "expires": stamp(self.now() + TOKEN_SECONDS),
            "expirySeconds": TOKEN_SECONDS,
            "scopes": scopes,
            "tags": tags,
            "client": client["id"],
            "token": secret("api", token_id),
        }
        self.tokens.append(token)
        return token

    def load(self, keys: list[Key]) -> None:
        """Replace the keys; one that comes without its `key` keeps the one it had."""
        loaded = [{"scopes": [], **key} for key in keys]
        given = {key["id"]: key.pop("key") for key in loaded if "key" in key}
        known = {key["id"] for key in loaded}
        if len(known) != len(loaded):
            raise ValueError("two keys have the same id")
        for key in loaded:
            key.pop("invalid", None)
            if key["keyType"] not in SCOPE_OF_KIND:
                raise ValueError(f"invalid keyType {key['keyType']!r}")
            if key["keyType"] == "auth":
                del key["scopes"]
        self.all = loaded
        self.secrets = {k: v for k, v in (self.secrets | given).items() if k in known}
        self.tokens = [token for token in self.tokens if token["client"] in known]
