"""JSON from outside: one meaning or none, and nothing that could fail further on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tailkeeper.webhooks.untrusted import at, commit, moment, name, read_json, text, word


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"a": {"b": 1, "b": 1}}', "stands twice"),
        (b"\xff\xfe{}", "codec can't decode"),
        ('{"a": "\u00e4"}'.encode("utf-16"), "codec can't decode"),
        ("\ufeff{}".encode(), "BOM"),
        (b'{"a": "\xe4"}', "codec can't decode"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"9" * 5_000, "digits"),
    ],
)
def test_what_has_not_one_meaning_is_not_read(body: bytes, why: str) -> None:
    """Nor what is not UTF-8, nor what is nested without end."""
    with pytest.raises(ValueError, match=why):
        read_json(body)


def test_asked_by_path() -> None:
    """Whatever stands in the way is nothing, not an error."""
    document = {"a": {"b": "c"}, "d": ["e"], "f": None}
    assert [at(document, *path) for path in (("a", "b"), ("a", "b", "c"), ("d", "0"), ("x",))] == [
        "c",
        None,
        None,
        None,
    ]
    assert (text(document, "f"), text([], "f"), text(document, "a", "b")) == ("", "", "c")


@pytest.mark.parametrize("value", [1, ["x"], {"x": 1}, True, "\ud800"], ids=ascii)
def test_what_is_no_text_is_refused(value: Any) -> None:
    """A lone surrogate too: it is valid JSON, and the bus could not carry it."""
    with pytest.raises(ValueError, match=r"a is not text|surrogates not allowed"):
        text({"a": value}, "a")


@pytest.mark.parametrize("value", ["", "two words", "a\nb", "a\u2028b", "a\x00", " a", None])
def test_a_word_is_one_word(value: Any) -> None:
    """It ends up between blanks, so it may hold none, nor what a terminal would obey."""
    with pytest.raises(ValueError, match="is not one word"):
        word({"a": value}, "a")


@pytest.mark.parametrize("value", ["", "main", "ABCDEF1", "abc123", "a" * 65, "abcdef1 ", None])
def test_a_commit_is_hexadecimal(value: Any) -> None:
    """SHA-1 or SHA-256, or what a host abbreviates it to."""
    with pytest.raises(ValueError, match="hash of a commit"):
        commit({"a": value}, "a")


def test_a_name_is_only_shown() -> None:
    """The first that there is, without what a terminal obeys, and not for ever."""
    document = {"a": "", "b": "\x1b[31mme\nyou" + "x" * 200}
    shown = name(document, ("x",), ("a",), ("b",), ("c",))
    assert shown.startswith("[31mmeyoux")
    assert len(shown) == 100
    assert name(document, ("x",)) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_795_338_000, "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T10:00:00+0100", "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T09:00:00.25Z", "2026-11-22T09:00:00.250Z"),
        ("2026-11-22 09:00:00 UTC", "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T09:00:00", ""),
        ("yesterday", ""),
        (10**30, ""),
        (True, ""),
        (None, ""),
    ],
)
def test_a_moment_in_any_of_the_hosts_forms(value: Any, expected: str) -> None:
    """All come out alike, so that they can be put in order; what is not understood is nothing."""
    assert moment(json.loads(json.dumps({"a": value})), "a") == expected
