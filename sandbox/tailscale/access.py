"""Who calls: API keys, access tokens, and the OAuth token endpoint's rules."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from sandbox.tailscale.answers import Refusal, forbidden
from sandbox.tailscale.keys import TOKEN_SECONDS
from sandbox.tailscale.scopes import NEEDS_TAGS, covers, demand


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tailscale.keys import Key, Keys
    from sandbox.tailscale.policy import Policy

INVALID_TOKEN = "API token invalid"


@dataclass(frozen=True)
class Caller:
    """What a request was made with.

    `key_id` is the API key or the OAuth client, `token_id` the client's access token; `user` is
    the login name behind an API key, empty for a trust credential; `tags` are a trust credential's.
    """

    key_id: str
    scopes: tuple[str, ...]
    token_id: str = ""
    tags: tuple[str, ...] = ()
    user: str = ""

    def need(self, *scopes: str) -> None:
        """Raise the Refusal of the first scope that is missing."""
        demand(self.scopes, *scopes)

    def may(self, scope: str) -> bool:
        """Say whether the scope is granted."""
        return covers(self.scopes, scope)

    @property
    def actor(self) -> str:
        """Return the name that webhooks give for who did it."""
        return self.user or self.key_id

    @property
    def tag_owners(self) -> tuple[str, ...] | None:
        """Return the tags that limit what it may hand out; None if nothing does."""
        return None if self.user or "all" in self.scopes else self.tags


def authenticate(keys: Keys, header: str, admin: str) -> Caller:
    """Return the caller of a Bearer token, or of Basic with the token as user name.

    Raises Refusal 401. An OAuth client's secret is no token: it is let in and may do nothing, as
    seen in tailscale/tailscale#15969. `admin` is the login that owns the API keys.
    """
    value = presented(header)
    token = keys.by_token(value)
    if token:
        return Caller(token["client"], tuple(token["scopes"]), token["id"], tuple(token["tags"]))
    key = keys.by_secret(value) if value else None
    if key is None or key["keyType"] == "auth":
        raise Refusal(401, INVALID_TOKEN)
    if key["keyType"] == "client":
        return Caller(key["id"], ())
    return Caller(key["id"], tuple(key.get("scopes") or ["all"]), user=admin)


def presented(header: str) -> str:
    """Return the token in an Authorization header."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "basic":
        return basic(value)[0]
    return value.strip() if kind.lower() == "bearer" else ""


def basic(value: str) -> tuple[str, str]:
    """Return user and password of Basic credentials, empty if they are none."""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def token_answer(keys: Keys, policy: Policy, header: str, form: Mapping[str, str]) -> Key:
    """Carry out a client_credentials request and return its answer; raise Refusal.

    The credentials come as Basic (percent-encoded, RFC 6749) or in the form; `scope` and `tags`
    ask for less than the client has, separated by spaces.
    """
    client = _client(keys, header, form)
    if form.get("grant_type", "client_credentials") != "client_credentials":
        raise Refusal(400, "unsupported grant_type")
    scopes = form.get("scope", "").split() or list(client["scopes"])
    if not all(covers(client["scopes"], scope) for scope in scopes):
        raise Refusal(403, f'OAuth client cannot grant scopes "{" ".join(scopes)}"')
    tags = _tags(policy, client, scopes, form.get("tags", "").split())
    token = keys.grant(client, scopes, tags)
    answer = {
        "access_token": token["token"],
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(scopes),
    }
    return answer | ({"tags": " ".join(tags)} if tags else {})


def _client(keys: Keys, header: str, form: Mapping[str, str]) -> dict[str, Any]:
    kind, _, value = header.partition(" ")
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    if kind.lower() == "basic":
        client_id, client_secret = (unquote_plus(part) for part in basic(value))
    client = keys.by_secret(client_secret) if client_secret else None
    if client is None or client["id"] != client_id or client["keyType"] != "client":
        raise Refusal(401, INVALID_TOKEN)
    return client


def _tags(policy: Policy, client: Key, scopes: list[str], asked: list[str]) -> list[str]:
    own = list(client.get("tags") or [])
    if not asked:
        return own
    if not any(covers(scopes, scope) for scope in NEEDS_TAGS):
        raise forbidden()
    owners = None if "all" in client["scopes"] else tuple(own)
    if not set(asked) <= set(own):
        policy.permit(asked, owners=owners)
    return asked
