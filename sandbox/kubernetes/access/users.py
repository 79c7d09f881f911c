"""Users, their bearer tokens, and who is meant by an Authorization header.

A ServiceAccount's token is a JWT with the claims of a real bound token, signed with a key of the
server's own (HS256 where a real server signs RS256): nobody but the server can read more into it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import unauthorized


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.storage.store import Document, Store

AUDIENCE = ISSUER = "https://kubernetes.default.svc.cluster.local"
MASTERS = "system:masters"
SERVICE_ACCOUNTS = ("", "serviceaccounts")


@dataclass(frozen=True)
class User:
    """A name and the groups that rules are bound to."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the user as reviews show it."""
        told = {
            "username": self.name,
            "uid": self.uid,
            "groups": list(self.groups),
            "extra": self.extra,
        }
        return {k: v for k, v in told.items() if v}


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADMIN = User("kubernetes-admin", (MASTERS, "system:authenticated"))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """Return the user that a ServiceAccount is."""
    groups = (
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    )
    return User(f"system:serviceaccount:{namespace}:{name}", groups, uid)


@dataclass
class Authenticator:
    """Issues tokens and tells users by them; `now` returns epoch seconds."""

    store: Store
    admin_token: str
    signing_key: str
    now: Callable[[], float]

    def user(self, authorization: str) -> User:
        """Return who sent this header; raise a 401 for a token that is not ours or is over."""
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return ANONYMOUS
        if scheme.lower() != "bearer":
            raise unauthorized()
        if hmac.compare_digest(token.encode(), self.admin_token.encode()):
            return ADMIN
        user = self.of_token(token.strip())
        if user is None:
            raise unauthorized()
        return user

    def of_token(self, token: str) -> User | None:
        """Return the user of a ServiceAccount's token that is valid now, or None."""
        claims = self._claims(token)
        if claims is None or claims.get("exp", self.now() + 1) <= self.now():
            return None
        bound = claims["kubernetes.io"]
        namespace, account = bound["namespace"], bound["serviceaccount"]
        # a new account of the same name is somebody else
        live = self.store.get(SERVICE_ACCOUNTS, namespace, account["name"])
        if live is None or live["metadata"]["uid"] != account["uid"]:
            return None
        return service_account(namespace, account["name"], account["uid"])

    def issue(
        self, account: Document, *, seconds: float | None = 3600, audiences: list[str] | None = None
    ) -> tuple[str, float | None]:
        """Return a token for a ServiceAccount and when it ends (None: never)."""
        metadata, started = account["metadata"], int(self.now())
        bound = {"name": metadata["name"], "uid": metadata["uid"]}
        claims: dict[str, Any] = {
            "aud": audiences or [AUDIENCE],
            "iss": ISSUER,
            "iat": started,
            "nbf": started,
            "jti": str(uuid.uuid4()),
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
            "kubernetes.io": {"namespace": metadata["namespace"], "serviceaccount": bound},
        }
        if seconds is not None:
            claims["exp"] = started + int(seconds)
        return self._signed(claims), claims.get("exp")

    def _signed(self, claims: dict[str, Any]) -> str:
        head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = f"{head}.{_encoded(json.dumps(claims).encode())}"
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        digest = hmac.new(self.signing_key.encode(), body.encode(), hashlib.sha256).digest()
        return _encoded(digest)

    def _claims(self, token: str) -> dict[str, Any] | None:
        body, _, signature = token.rpartition(".")
        if not body or not hmac.compare_digest(signature, self._signature(body)):
            return None
        text = body.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return claims


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
