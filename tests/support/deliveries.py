"""Webhooks of git hosts and of Flux, as they sign and send them: the files in events/, signed.

The signatures are made here by the hosts' own descriptions, not by what is to check them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus


if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS = Path(__file__).parents[2] / "events"
SECRET = "git-secret-of-the-tests"
FORM = "application/x-www-form-urlencoded"
OLD = "5f3c0e1a9b7d2846f0c1d3e5a7b9c2d4e6f80123"
NEW = "8a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
HEAD = "c0ffee1234567890abcdef1234567890abcdef12"
ZEROS = "0" * 40

PUSHES = ("github", "gitlab", "gitea", "forgejo", "bitbucket", "bitbucket-data-center")
HOMELAB = {
    "provider": "github",
    "name": "me/homelab",
    "branch": "main",
    "paths": ["apps/**", "infrastructure/**"],
}


def watching(*providers: str) -> dict[str, Any]:
    """Return a configuration that watches a repository of each provider."""
    return {"repositories": [{**HOMELAB, "provider": provider} for provider in providers]}


def template(name: str) -> dict[str, Any]:
    """Return a file of events/: headers and body of one delivery, not signed yet."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.webhook.json").read_text())
    return found


def document(name: str) -> dict[str, Any]:
    """Return the payload of a file of events/."""
    body: dict[str, Any] = json.loads(template(name)["body"])
    return body


def headers_of(name: str) -> dict[str, str]:
    """Return the headers of a file of events/."""
    headers: dict[str, str] = template(name)["headers"]
    return headers


def digest(secret: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signature(name: str, secret: str, body: bytes) -> dict[str, str]:
    """Return the headers that prove a body, as the host of that name sends them."""
    made = digest(secret, body)
    match name.partition("-")[0]:
        case "github":
            return {"x-hub-signature-256": f"sha256={made}"}
        case "gitlab":
            return {"x-gitlab-token": secret}
        case "bitbucket":
            return {"x-hub-signature": f"sha256={made}"}
        case "flux":
            return {"x-signature": f"sha256={made}"}
    theirs = {f"x-{host}-signature": made for host in ("gitea", "gogs", "forgejo")}
    return {**theirs, "x-hub-signature-256": f"sha256={made}"}


def standard_signature(key: bytes, body: bytes, *, at: int, id_: str = "msg_1") -> dict[str, str]:
    """Return the headers of Standard Webhooks, as GitLab sends them with a signing token."""
    text = f"{id_}.{at}.".encode() + body
    made = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1a,other v1,{made}",
    }


def delivery(
    name: str,
    payload: Any = None,
    *,
    secret: str = SECRET,
    form: bool = False,
    encoded: bool = False,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the HTTP API's event of a delivery; `payload` is a document, or bytes as they are.

    In a form GitHub signs the form, Gitea what is in it. A header of "" is left out.
    """
    given = document(name) if payload is None else payload
    content = given if isinstance(given, bytes) else json.dumps(given).encode()
    body = b"payload=" + quote_plus(content).encode() if form else content
    signed = body if name.startswith("github") else content
    kind = {"content-type": FORM} if form else {}
    sent = {**headers_of(name), **kind, **signature(name, secret, signed), **(headers or {})}
    text = base64.b64encode(body).decode() if encoded else body.decode()
    return {
        "version": "2.0",
        "headers": {key: value for key, value in sent.items() if value},
        "body": text,
        "isBase64Encoded": encoded,
    }
