"""The proof, judged: mended, broken, or too early to say; and what takes a change back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.model import Change
from tailkeeper.proof.judging import LOOKS, judge_proof, key_of, undoing


if TYPE_CHECKING:
    from tailkeeper.proof.judging import Proof

HOST, PLACE = "app.example.com", "homelab/dns/hosts"


def finding(state: str, hop: str | None = None, host: str = HOST, **parts: str) -> dict[str, Any]:
    """Return a finding of the tailnet view, by split DNS unless told otherwise."""
    where = {"host": host, "view": "tailnet", "path": "split-dns", **parts}
    return {**where, "state": state, "hop": hop, "detail": "", "ms": 1.0}


def judged(before: Any, after: Any, **how: Any) -> Proof:
    """Judge findings of a change that is about the host."""
    given = {"touched": {HOST}, "last": False, "now": "now", **how}
    return judge_proof(before, after, **given)


HEALTHY, DEGRADED, BLIND = finding("healthy"), finding("degraded", "tls"), finding("blind")
DNS, TCP, TLS, HTTP = (finding("down", hop) for hop in ("dns", "tcp", "tls", "http"))


@pytest.mark.parametrize(
    ("before", "after", "word", "at_last"),
    [
        (DNS, HEALTHY, "proven", "proven"),
        (HEALTHY, HEALTHY, "proven", "proven"),
        (HEALTHY, DEGRADED, "proven", "proven"),
        (HEALTHY, DNS, "again", "worse"),
        (HEALTHY, HTTP, "again", "worse"),
        (DEGRADED, DNS, "again", "worse"),
        (DNS, DNS, "again", "unproven"),
        (TCP, TCP, "again", "unproven"),
        (HTTP, HTTP, "proven", "proven"),
        (TLS, TLS, "proven", "proven"),
        (DNS, HTTP, "again", "unproven"),
        (TLS, HTTP, "again", "unproven"),
        (None, DNS, "again", "unproven"),
        (None, HEALTHY, "proven", "proven"),
        (BLIND, DNS, "again", "unproven"),
        (HEALTHY, BLIND, "again", "unproven"),
    ],
)
def test_what_was_and_what_is_make_the_word(
    before: Any, after: Any, word: str, at_last: str
) -> None:
    """While there is time, waiting may mend; then only a regression is worse.

    A backend that was down before stays its own affair; being blind is neither down nor healthy.
    """
    baseline = [before] if before else []

    assert judged(baseline, [after]).word == word
    assert judged(baseline, [after], last=True).word == at_last


def test_a_failure_of_others_is_neither_waited_for_nor_blamed() -> None:
    """A host that the change is not about may be down as it was."""
    other = finding("down", "dns", host="other.example.com")

    proof = judged([DNS, other], [HEALTHY, other])

    assert (proof.word, proof.worse, len(proof.failing)) == ("proven", (), 1)


def test_a_regression_elsewhere_is_blamed_all_the_same() -> None:
    """What answered before and does not now is worse, whoever's host it is."""
    other = {"host": "other.example.com"}
    before, after = finding("healthy", **other), finding("down", "dns", **other)

    assert judged([before], [after]).word == "again"
    assert judged([before], [after], last=True).word == "worse"


def test_a_blind_prober_looks_a_few_times_more() -> None:
    """It may be waking up; but a whole budget of waiting mends no missing proxy."""
    words = [judged([], [BLIND], attempt=n).word for n in range(1, LOOKS + 1)]

    assert words == ["again"] * (LOOKS - 1) + ["unproven"]


def test_since_when_a_view_answers_is_kept() -> None:
    """A view that waits for nothing is stamped once; the one that still waits has no stamp."""
    public = finding("healthy", view="public", path="authoritative")

    first = judged([DNS], [DNS, public], now="first")
    second = judged([DNS], [HEALTHY, public], now="second", proven_before=first.views)

    assert first.views == {"public": "first"}
    assert second.views == {"public": "first", "tailnet": "second"}


def test_a_view_that_fails_as_it_did_before_is_not_called_right() -> None:
    """The change is not to blame, and the view does not answer as planned all the same."""
    public, tls = finding("healthy", view="public"), finding("down", "tls")

    proof = judged([tls], [public, tls], now="now")

    assert (proof.word, proof.views) == ("proven", {"public": "now"})


def test_a_proof_in_the_journal_is_short() -> None:
    """Ten thousand failures are a number and twenty examples."""
    findings = [finding("down", "dns", host=f"h{n}") for n in range(10_000)]
    hosts = {f["host"] for f in findings}

    proof = judged([], findings, touched=hosts, last=True).as_json()

    assert proof["states"] == {"down": 10_000}
    assert len(proof["failing"]) == 20


STATES = st.sampled_from([HEALTHY, DEGRADED, BLIND, DNS, TCP, TLS, HTTP])


@given(pairs=st.lists(st.tuples(STATES, STATES), max_size=4), last=st.booleans())
def test_only_what_was_fine_and_is_down_is_worse(pairs: Any, *, last: bool) -> None:
    """Whatever the mixture, each blame is a regression of its own."""
    before = [f | {"host": f"h{n}"} for n, (f, _) in enumerate(pairs)]
    after = [f | {"host": f"h{n}"} for n, (_, f) in enumerate(pairs)]
    was = {key_of(f): f["state"] for f in before}

    proof = judged(before, after, touched={f["host"] for f in before}, last=last)

    assert all(was[key_of(f)] in {"healthy", "degraded"} for f in proof.worse)
    assert all(f["state"] == "down" for f in proof.worse)
    assert (proof.word == "worse") == (last and bool(proof.worse))
    assert not (last and proof.word == "again")


def change(key: str, before: Any, after: Any, surface: Any = "resolver") -> Change:
    """Return a change of a place."""
    return Change(surface, key, before, after, "tailnet" if surface == "split-dns" else PLACE)


A, B, C = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2, 3))
SPLIT = change("example.com", None, {"nameservers": ["100.64.0.9"]}, "split-dns")
DOCUMENT = change("(document)", {"text": "old"}, {"mode": "hosts", "domains": ["example.com"]})
CRON_JOB = change("cronjob/updater", {"suspend": False}, {"suspend": True})


@pytest.mark.parametrize(
    ("entries", "undone"),
    [
        ([change("a", A, B)], [("a", B, A)]),
        ([change("a", None, B)], [("a", B, None)]),
        ([change("a", A, None)], [("a", None, A)]),
        ([change("a", A, B), change("a", B, C)], [("a", C, A)]),
        ([change("a", A, B), change("a", B, A)], []),
        ([change("a", A, B), change("b", A, B)], [("a", B, A)]),
        ([change("b", A, B), SPLIT], []),
    ],
)
def test_only_what_it_made_worse_is_taken_back(entries: Any, undone: Any) -> None:
    """To what it was before the first round; what is back already needs nothing."""
    found = undoing(entries, {"a"}, ())

    assert [(c.key, c.before, c.after) for c in found] == undone
    assert not any(c.verdict for c in found)


def test_a_domain_and_a_document_stand_for_their_hosts() -> None:
    """A document that was taken over goes back whole, and its CronJob back to work."""
    entries = [change("a", None, B), CRON_JOB, DOCUMENT, SPLIT]

    def keys(*which: Any) -> set[str]:
        return {c.key for c in undoing(entries, *which)}

    assert keys({"a"}, {"example.com"}) == {"a", "example.com"}
    assert keys({"a"}, (), {PLACE}) == {"a", "(document)", "cronjob/updater"}
    assert keys({"a"}, (), {"another/place"}) == {"a"}
