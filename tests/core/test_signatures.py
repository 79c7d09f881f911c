"""Signatures: the vectors that the hosts publish, and everything that must not pass for one."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.webhooks import signatures
from tailkeeper.webhooks.signatures import (
    MalformedSignatureError,
    MissingSignatureError,
    StaleSignatureError,
    WrongSignatureError,
    bare,
    hub,
    standard,
    token,
)


# Published by GitHub, Atlassian and the Standard Webhooks project, and checked with openssl.
EVERYBODYS = "It's a Secret to Everybody"
GITHUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
BITBUCKET = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")
STANDARD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = 1614265330


def test_published_vectors() -> None:
    """What the hosts' own documentation signs holds, beside secrets that are not meant."""
    hub(GITHUB, b"Hello, World!")(["another", EVERYBODYS])
    hub(BITBUCKET, b"Hello World!")([EVERYBODYS])
    bare(GITHUB.removeprefix("sha256="), b"Hello, World!")([EVERYBODYS])
    standard(b'{"test": 2432232314}', *MESSAGE, STANDARD, now=NOW)(["another", KEY])


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, MissingSignatureError),
        ("", MissingSignatureError),
        ("757107ea", MalformedSignatureError),
        ("sha1=" + GITHUB[7:], MalformedSignatureError),
        ("SHA256=" + GITHUB[7:], MalformedSignatureError),
        ("sha256=", MissingSignatureError),
        (GITHUB[:-1], WrongSignatureError),
        (GITHUB.upper().replace("SHA", "sha"), WrongSignatureError),
        (f"{GITHUB},{GITHUB}", WrongSignatureError),
        (f" {GITHUB}", MalformedSignatureError),
        ("sha256=\u20ac\udc80", WrongSignatureError),
        (BITBUCKET, WrongSignatureError),
    ],
)
def test_headers_that_prove_nothing(header: str | None, error: type[Exception]) -> None:
    """Each with the reason that fits, and without looking at a secret where none could help."""
    with pytest.raises(error):
        hub(header, b"Hello, World!")([EVERYBODYS])


@pytest.mark.parametrize(
    ("sent", "now", "error"),
    [
        ((*MESSAGE, f"v1,bm8= v2,x {STANDARD}"), NOW, None),
        ((*MESSAGE, STANDARD), NOW + 300, None),
        ((*MESSAGE, STANDARD), NOW - 300, None),
        ((*MESSAGE, STANDARD), NOW + 301, StaleSignatureError),
        ((*MESSAGE, STANDARD), NOW - 301, StaleSignatureError),
        (("msg_other", MESSAGE[1], STANDARD), NOW, WrongSignatureError),
        ((MESSAGE[0], str(NOW + 1), STANDARD), NOW, WrongSignatureError),
        (("", MESSAGE[1], STANDARD), NOW, MalformedSignatureError),
        ((MESSAGE[0], "", STANDARD), NOW, MalformedSignatureError),
        ((MESSAGE[0], "soon", STANDARD), NOW, MalformedSignatureError),
        ((MESSAGE[0], "9" * 5000, STANDARD), NOW, MalformedSignatureError),
        ((*MESSAGE, "v1a," + STANDARD[3:]), NOW, MalformedSignatureError),
        ((*MESSAGE, STANDARD[3:]), NOW, MalformedSignatureError),
        ((*MESSAGE, "v1,"), NOW, WrongSignatureError),
    ],
)
def test_standard_webhooks(
    sent: tuple[str, str, str], now: float, error: type[Exception] | None
) -> None:
    """Id and time are signed too; several versions may be sent; five minutes are tolerated."""

    def verify() -> None:
        standard(b'{"test": 2432232314}', *sent, now=now)([KEY])

    if error is None:
        verify()
    else:
        with pytest.raises(error):
            verify()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("plain text", b"plain text"),
        ("whsec_" + base64.b64encode(b"the bytes").decode(), b"the bytes"),
        ("whsec_not base64!", b"whsec_not base64!"),
    ],
)
def test_a_signing_key_may_be_bytes_or_text(secret: str, key: bytes) -> None:
    """Standard Webhooks writes keys in base64; a host may take what was typed as it is."""
    made = hmac.new(key, b"1.%d.{}" % NOW, hashlib.sha256).digest()

    standard(b"{}", "1", str(NOW), f"v1,{base64.b64encode(made).decode()}", now=NOW)([secret])


def test_a_token_is_the_secret_itself() -> None:
    """And nothing that begins like it, nor one of no secrets."""
    token("secret")(["another", "secret"])
    for wrong, secrets in (("secre", ["secret"]), ("secret", []), ("\u20ac\udc80", ["secret"])):
        with pytest.raises(WrongSignatureError):
            token(wrong)(secrets)
    with pytest.raises(MissingSignatureError):
        token("")


def test_every_pair_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first match does not end it, so its place among the secrets cannot be measured."""
    compared: list[tuple[bytes, bytes]] = []

    class Counting:
        """hmac, with its comparison counted."""

        new = staticmethod(hmac.new)

        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            """Compare, and remember it."""
            compared.append((one, other))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(signatures, "hmac", Counting)
    for verify in (hub(GITHUB, b"Hello, World!"), token(EVERYBODYS)):
        verify([EVERYBODYS, "second", "third"])

    assert len(compared) == 6
    assert {len(one) for one, _ in compared} == {64}, "digests, not secrets of their own length"


@given(st.binary(max_size=64), st.text(max_size=8), st.integers(0, 255), st.integers(0, 63))
def test_a_body_that_was_touched_does_not_hold(
    body: bytes, secret: str, flip: int, place: int
) -> None:
    """Whatever was signed, any other body is refused."""
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    other = bytearray(body or b"x")
    other[place % len(other)] ^= flip

    hub(f"sha256={made}", body)([secret])
    if bytes(other) != body:
        with pytest.raises(WrongSignatureError):
            hub(f"sha256={made}", bytes(other))([secret])
