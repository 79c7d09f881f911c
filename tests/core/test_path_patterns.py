"""Path patterns: as in .gitignore, which is what people know."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.path_patterns import compiled, selects, touches


@pytest.mark.parametrize(
    ("patterns", "yes", "no"),
    [
        ([], "anything at all", None),
        (["apps/**"], "apps/photos/route.yaml", "apps"),
        (["apps/**"], "apps/x", "old/apps/x"),
        (["/apps"], "apps/x/y", "old/apps/x"),
        (["apps"], "old/apps/x", "apps.yaml"),
        (["apps/"], "old/apps/x", "apps"),
        (["*.yaml"], "a/b/c.yaml", "c.yaml.bak"),
        (["apps/*.yaml"], "apps/c.yaml", "apps/x/c.yaml"),
        (["apps/*"], "apps/x/c.yaml", "apps"),
        (["apps/**/route.yaml"], "apps/route.yaml", "apps/route.yml"),
        (["apps/**/route.yaml"], "apps/a/b/route.yaml", "old/apps/route.yaml"),
        (["**/route.yaml"], "route.yaml", "proute.yaml"),
        (["**/tailscale/**"], "a/tailscale/b", "a/tailscale"),
        (["**"], "a/b", None),
        (["b/**/"], "b/a/x", "b/a"),
        (["route?.yaml"], "x/route1.yaml", "x/route12.yaml"),
        (["a?b"], "axb", "a/b"),
        (["[ab].yaml"], "a.yaml", "c.yaml"),
        (["[!ab].yaml"], "c.yaml", "a.yaml"),
        (["[0-9]*"], "x/9lives", "x/lives9"),
        ([r"\*.yaml"], "*.yaml", "a.yaml"),
        (["a.b"], "a.b", "aXb"),
        (["a+b(c)"], "a+b(c)", "aab(c)"),
        (["apps/**", "!apps/docs/"], "apps/x", "apps/docs/x"),
        (["apps/**", "!*.md", "apps/keep.md"], "apps/keep.md", "apps/other.md"),
        (["!docs/**"], "apps/x", "docs/x"),
        (["apps/**"], "apps/line\nbreak", "apps\n/x"),
        (["[]"], "[]", "x"),
    ],
)
def test_what_patterns_select(patterns: list[str], yes: str, no: str | None) -> None:
    """One path that is meant, and one that is nearly."""
    assert selects(patterns, yes)
    assert no is None or not selects(patterns, no)


def test_one_file_is_enough() -> None:
    """A push touches what is watched when one of its files does."""
    assert touches(["apps/**"], ["README.md", "apps/x"])
    assert not touches(["apps/**"], ["README.md", "docs/apps/x"])
    assert not touches(["apps/**"], [])


def test_what_is_no_pattern_says_so() -> None:
    """The configuration refuses it, before any push is measured by it."""
    with pytest.raises(re.error):
        compiled("[z-a]")


def test_no_path_takes_long_to_be_measured() -> None:
    """Patterns and paths that tempt a matcher to try all combinations are followed once."""
    deep, long = "b/c/" * 1000 + "e", "a" * 4000 + "b"

    assert not selects(["**/b/**/c/**/b/**/c/**/d"], deep)
    assert not selects(["*a*a*a*a*a*a*a*a*c"], long)
    assert selects(["**/b/**/c/**/b/**/c/**/e"], deep)
    assert selects(["*a*a*a*a*a*a*a*a*b"], long)


NAMES = st.text("ab.*?[]!\\-^&", min_size=1, max_size=5)


@given(st.lists(NAMES, min_size=1, max_size=4), st.text(max_size=20))
def test_a_folder_selects_all_that_is_in_it(parts: list[str], below: str) -> None:
    """Whatever it is called, once its name is written so that nothing in it means more."""
    folder = "/".join(parts)
    pattern = "/" + re.sub(r"([*?\[\]!\\])", r"\\\1", folder)

    assert selects([pattern], folder)
    assert selects([pattern], f"{folder}/{below}")
    assert not selects([pattern], f"x{folder}")
