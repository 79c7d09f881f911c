"""Names, wildcards and zones, as the Gateway API and ExternalDNS compare them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.hostnames import canonical, intersection, is_wildcard, within, zone_of


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
NAME = (
    st.lists(LABEL, min_size=2, max_size=4)
    .map(".".join)
    .filter(lambda name: not name.replace(".", "").isdigit())
)
PATTERN = st.one_of(NAME, NAME.map("*.{}".format))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("App.Example.com.", "app.example.com"),
        ("*.example.com", "*.example.com"),
        (" app.example.com ", "app.example.com"),
        ("com", "com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("", None),
        ("*", None),
        ("*.", None),
        ("a.*.example.com", None),
        ("*app.example.com", None),
        ("100.64.0.1", None),
        ("fd7a:115c:a1e0::1", None),
        ("under_score.example.com", None),
        ("-a.example.com", None),
        ("a-.example.com", None),
        ("a..example.com", None),
        (" BÜCHER.example.", "xn--bcher-kva.example"),
        ("*.Straße.example", "*.xn--strae-oqa.example"),
        ("ﬁsh.example", "fish.example"),
        ("a.日本.example", "a.xn--wgv71a.example"),
        ("日本 .example", None),
        (f"{'ü' * 60}.example", None),
        (f"{'a' * 63}.example.com", f"{'a' * 63}.example.com"),
        (f"{'a' * 64}.example.com", None),
        (".".join(["abcdefg"] * 31) + ".abcde", ".".join(["abcdefg"] * 31) + ".abcde"),
        (".".join(["abcdefg"] * 31) + ".abcdef", None),
    ],
)
def test_canonical(host: str, expected: str | None) -> None:
    """RFC 1123 names, one leading wildcard label; other alphabets are spelled in ASCII."""
    assert canonical(host) == expected


@pytest.mark.parametrize(
    ("listener", "route", "expected"),
    [
        ("*.example.com", "app.example.com", "app.example.com"),
        ("*.example.com", "deep.app.example.com", "deep.app.example.com"),
        ("*.example.com", "example.com", None),
        ("*.example.com", "badexample.com", None),
        ("app.example.com", "*.example.com", "app.example.com"),
        ("*.example.com", "*.app.example.com", "*.app.example.com"),
        ("*.app.example.com", "*.example.com", "*.app.example.com"),
        ("*.example.com", "*.example.com", "*.example.com"),
        ("app.example.com", "web.example.com", None),
        ("", "app.example.com", "app.example.com"),
        ("*.example.com", "", "*.example.com"),
        ("", "", ""),
    ],
)
def test_intersection(listener: str, route: str, expected: str | None) -> None:
    """The more specific of two overlapping names is what a listener serves of a route."""
    assert intersection(listener, route) == expected


@given(PATTERN, PATTERN)
def test_intersection_is_symmetric_and_narrows(one: str, other: str) -> None:
    """Whichever side a name stands on, the result is one of the two, and overlaps both."""
    shared = intersection(one, other)

    assert shared == intersection(other, one)
    if shared is not None:
        assert shared in {one, other}
        assert intersection(shared, one) == intersection(shared, other) == shared


@given(st.text(max_size=12))
def test_a_canonical_form_is_final(text: str) -> None:
    """Whatever somebody wrote, read again it is the same name, in ASCII."""
    if (name := canonical(text)) is not None:
        assert name.isascii()
        assert canonical(name) == name


@given(NAME)
def test_canonical_names_stay(name: str) -> None:
    """A canonical name is its own canonical form, with or without a wildcard."""
    assert canonical(name.upper() + ".") == name
    assert canonical(f"*.{name}") == f"*.{name}"
    assert is_wildcard(f"*.{name}")
    assert not is_wildcard(name)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.home.example.com", "home.example.com"),
        ("a.example.com", "example.com"),
        ("example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("notexample.com", None),
        ("com", None),
    ],
)
def test_zone_of_takes_the_longest(host: str, expected: str | None) -> None:
    """A name belongs to the longest zone that holds it, cut at a label."""
    assert zone_of(host, ["example.com", "home.example.com"]) == expected


def test_within_includes_the_domain_itself() -> None:
    """A domain holds itself and what is below it, nothing beside it."""
    assert within("example.com", "example.com")
    assert within("a.b.example.com", "example.com")
    assert not within("wexample.com", "example.com")
