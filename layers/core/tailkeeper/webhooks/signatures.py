"""How senders of webhooks prove who they are: what a header claims, held against the secrets.

Pure, and imported by every receiver, which must stay light: base64, hashlib and hmac only. Each
scheme reads its header first, so that a request that is not signed at all costs no secret, and
returns a Verifier: called with the valid secrets, it returns if one of them fits and raises
SignatureError if none does. Every pair is compared, in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence


Verifier = Callable[[Sequence[str]], None]

CLOCK_SKEW = 300
SIGNING_KEY = "whsec_"
_MAX_DIGITS = 12


class SignatureError(Exception):
    """The request is not from who holds the secret; `reason` is safe to log and to answer."""

    reason = "refused"


class MissingSignatureError(SignatureError):
    """There is no signature header."""

    reason = "the signature header is missing"


class MalformedSignatureError(SignatureError):
    """The header does not have the scheme's form."""

    reason = "the signature header does not have the form that the sender documents"


class WrongSignatureError(SignatureError):
    """No secret makes any of the signatures."""

    reason = "no signature fits the body"


class StaleSignatureError(SignatureError):
    """The signature is genuine, but its time is too long ago or too far ahead."""

    reason = "the signature's time is outside the tolerance"


def hub(header: str | None, body: bytes) -> Verifier:
    """Read `sha256=<hex>` over the raw body: GitHub, Bitbucket, Flux's generic-hmac."""
    scheme, _, given = _present(header).partition("=")
    if scheme != "sha256":
        raise MalformedSignatureError
    return bare(given, body)


def bare(header: str | None, body: bytes) -> Verifier:
    """Read `<hex>`, the HMAC-SHA256 over the raw body: Gitea, Forgejo."""
    given = _present(header)

    def verify(secrets: Sequence[str]) -> None:
        require_match([given], [hex_hmac(secret.encode(), body) for secret in secrets])

    return verify


def token(header: str | None) -> Verifier:
    """Read the secret itself, sent in plain: GitLab without a signing key."""
    given = _present(header)

    def verify(secrets: Sequence[str]) -> None:
        # Digests, so that not even the secret's length can be measured.
        require_match([_digest(given)], [_digest(secret).encode() for secret in secrets])

    return verify


def standard(body: bytes, message_id: str, at: str, header: str, *, now: float) -> Verifier:
    """Read Standard Webhooks' `v1,<base64>`, one or more, over `<id>.<at>.<body>`: GitLab.

    A secret signs with its own bytes and, written `whsec_<base64>`, with those that it encodes
    (standardwebhooks.com). `at` is when it was sent: five minutes are tolerated, either way.
    """
    given = [part[3:] for part in _present(header).split() if part.startswith("v1,")]
    if not given or not message_id or not is_time(at):
        raise MalformedSignatureError
    text = f"{message_id}.{at}.".encode(errors="replace") + body

    def verify(secrets: Sequence[str]) -> None:
        keys = [key for secret in secrets for key in _keys(secret)]
        digests = [hmac.new(key, text, hashlib.sha256).digest() for key in keys]
        require_match(given, [base64.b64encode(digest) for digest in digests])
        if abs(now - int(at)) > CLOCK_SKEW:
            raise StaleSignatureError

    return verify


def require_match(given: Iterable[str], expected: Sequence[bytes]) -> None:
    """Return if one of `given` is one of `expected`; raise WrongSignatureError."""
    # A list, so that every pair is compared: any() over a generator would stop at the first match.
    matches = [
        hmac.compare_digest(one.encode(errors="replace"), other)
        for one in given
        for other in expected
    ]
    if not any(matches):
        raise WrongSignatureError


def hex_hmac(key: bytes, text: bytes) -> bytes:
    """Return the HMAC-SHA256 in lower-case hex."""
    return hmac.new(key, text, hashlib.sha256).hexdigest().encode()


def is_time(text: str) -> bool:
    """Return whether the text is epoch seconds, and no more digits than those can have."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _present(header: str | None) -> str:
    if not header:
        raise MissingSignatureError
    return header


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _keys(secret: str) -> list[bytes]:
    keys = [secret.encode()]
    if secret.startswith(SIGNING_KEY):
        try:
            keys.append(base64.b64decode(secret.removeprefix(SIGNING_KEY), validate=True))
        except (binascii.Error, ValueError):
            return keys
    return keys
