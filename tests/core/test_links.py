"""Links: a token opens its own change and set, unaltered and in time, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.decisions.links import ExpiredError, Link, LinkError, set_of


KEY, NOW, ID = "a key", 1_000.0, "20261121-230000-aaaaaa"
LINK = Link.to(ID, ["d1", "d2"], 2_000)
TOKEN = LINK.token(KEY)


def read(token: str, change_id: str = ID, key: str = KEY, now: float = NOW) -> Link:
    """Return what a token opens."""
    return Link.read(change_id, token, lambda: key, now)


def test_a_token_opens_its_link() -> None:
    """For its change and its set, whatever the order of the digests."""
    assert read(TOKEN) == LINK
    assert Link.to(ID, ["d2", "d1", "d2"], 2_000) == LINK
    assert set_of(["d1"]) != set_of(["d1", "d2"])


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_an_altered_token_opens_nothing(place: int, letter: str) -> None:
    """Whichever letter is another: set, expiry or signature."""
    altered = TOKEN[:place] + letter + TOKEN[place + 1 :]

    if altered == TOKEN:
        assert read(altered) == LINK
    else:
        with pytest.raises(LinkError):
            read(altered)


@given(st.text())
def test_nonsense_opens_nothing_and_fetches_no_key(text: str) -> None:
    """Whoever floods the page costs no call of the secret's."""

    def no_key() -> str:
        raise AssertionError

    with pytest.raises(LinkError) as refused:
        Link.read(ID, text, no_key, NOW)

    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("change_id", "key"), [("20261121-230000-bbbbbb", KEY), (ID, "another key"), ("", KEY)]
)
def test_a_token_is_bound_to_its_change_and_key(change_id: str, key: str) -> None:
    """One change's link decides nothing about another one."""
    with pytest.raises(LinkError) as refused:
        read(TOKEN, change_id, key)

    assert refused.value.status == 403


@pytest.mark.parametrize(("now", "good"), [(1_999.9, True), (2_000.0, False), (9e9, False)])
def test_a_token_expires(now: float, *, good: bool) -> None:
    """And says so, with another status: it was good once."""
    if good:
        assert read(TOKEN, now=now) == LINK
        return
    with pytest.raises(ExpiredError) as refused:
        read(TOKEN, now=now)
    assert refused.value.status == 410
