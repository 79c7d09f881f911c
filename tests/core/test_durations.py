"""Lengths of time, Go's and our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.durations import format_duration, go_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        ("300ms", 0.3),
        ("1h0m0.5s", 3600.5),
        (".5m", 30),
        ("2µs", 2e-6),
    ],
)
def test_go_duration(text: str, seconds: float) -> None:
    """Go's units are read as time.ParseDuration reads them."""
    assert go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "1d", "1h 30m", "1x", "h1", "-1s"])
def test_go_duration_refuses(text: str) -> None:
    """Days, blanks, numbers without a unit and negative lengths are no TTL."""
    with pytest.raises(ValueError, match="is not a"):
        go_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("1w", 604_800), ("90s", 90), ("1d12h", 129_600)]
)
def test_parse_duration_knows_days(text: str, seconds: int) -> None:
    """People write lifetimes in days."""
    assert parse_duration(text) == seconds


@given(st.integers(0, 10**9))
def test_format_reads_back(seconds: int) -> None:
    """Whatever is written reads back as the same number of seconds."""
    assert parse_duration(format_duration(seconds)) == seconds
