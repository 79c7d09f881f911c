"""What a conversation means, and what a finding is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.proof.hops import (
    DAY,
    Blind,
    Fault,
    Finding,
    Outcome,
    Spoken,
    asked_name,
    judge_spoken,
)


@pytest.mark.parametrize(
    ("days", "status", "empty", "expected"),
    [
        (None, None, False, Outcome("healthy", "connected")),
        (None, 200, False, Outcome("healthy", "HTTP 200")),
        (71, 302, True, Outcome("healthy", "HTTP 302, certificate good for 71 days")),
        (14, 200, False, Outcome("healthy", "HTTP 200, certificate good for 14 days")),
        (
            13,
            200,
            False,
            Outcome("degraded", "HTTP 200, but the certificate ends in 13 days", "tls"),
        ),
        (71, 499, True, Outcome("healthy", "HTTP 499, certificate good for 71 days")),
        (13, 500, False, Outcome("down", "HTTP 500", "http")),
        (71, 404, False, Outcome("healthy", "HTTP 404, certificate good for 71 days")),
        (
            71,
            404,
            True,
            Outcome("degraded", "HTTP 404 without a body, as of a gateway without route", "http"),
        ),
    ],
)
def test_any_answer_below_500_is_an_answer(
    days: int | None, status: int | None, expected: Outcome, *, empty: bool
) -> None:
    """A login page is healthy; a name without a route is degraded; what fails outranks both."""
    now = 1_800_000_000.0
    ends = None if days is None else now + days * DAY + 3600

    assert judge_spoken(Spoken(ends, status, empty), now) == expected


@given(status=st.integers(100, 599), empty=st.booleans(), days=st.integers(-100, 1000))
def test_a_verdict_is_healthy_only_without_a_hop(status: int, days: int, *, empty: bool) -> None:
    """Whatever is not healthy names a hop, and only a server error is down."""
    outcome = judge_spoken(Spoken(days * DAY, status, empty), 0.0)

    assert (outcome.state == "healthy") == (outcome.hop is None)
    assert (outcome.state == "down") == (status >= 500)
    assert (outcome.hop == "tls") == (days < 14 and status < 500)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    ("outcome", "unheard"),
    [
        (Fault("tailnet", "silence", mute=True).outcome, "blind"),
        (Fault("tcp", "refused").outcome, "down"),
        (Blind("no way").outcome, "blind"),
        (Outcome("healthy", "A 100.64.0.7"), "healthy"),
    ],
)
def test_only_unexplained_failures_are_taken_back(
    outcome: Outcome, unheard: str, *, heard: bool
) -> None:
    """A prober that heard nothing at all cannot tell silence from its own deafness."""
    finding = Finding("app.example.com", "tailnet", "split-dns", outcome, 1.0)

    judged = (finding if heard else finding.unless_heard).as_json()

    assert judged["state"] == (outcome.state if heard else unheard)
    assert outcome.detail in judged["detail"]
    assert judged.keys() == {"host", "view", "path", "state", "hop", "detail", "ms"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("app.example.com", "app.example.com"),
        ("*.example.com", "tailkeeper-no-such-name.example.com"),
    ],
)
def test_nobody_asks_for_an_asterisk(host: str, name: str) -> None:
    """A wildcard is asked for by a name that only it covers."""
    assert asked_name(host) == name
