"""Judge Proof: its word, who may cut the waiting short, and the undo that the journal gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from functions import judge_proof
from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.model import Change
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

PLACE = "homelab/dns/hosts"
A, B, C, D = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2, 3, 4))


def finding(name: str, state: str, hop: str | None = None, path: str = "split-dns") -> Any:
    """Return a finding of the tailnet view."""
    where = {"host": f"{name}.example.com", "view": "tailnet", "path": path}
    return {**where, "state": state, "hop": hop, "detail": "", "ms": 1.0}


def host(name: str, before: Any, after: Any) -> Change:
    """Return a change of a host in the resolver."""
    return Change("resolver", f"{name}.example.com", before, after, PLACE, gateway="g")


DOCUMENT = Change(
    "resolver",
    "(document)",
    {"text": "by a CronJob"},
    {"mode": "corefile", "domains": ["example.com"]},
    PLACE,
)
CRON_JOB = Change("resolver", "cronjob/updater", {"suspend": False}, {"suspend": True}, PLACE)
SPLIT = Change("split-dns", "example.com", None, {"nameservers": ["100.64.0.9"]}, "tailnet")


@dataclass
class Bench:
    """A change in the journal and what was found around it."""

    aws: Stack
    baseline: list[Any] = field(default_factory=lambda: [finding("a", "healthy")])
    findings: list[Any] = field(default_factory=lambda: [finding("a", "down", "tcp")])

    def journal(
        self, *changes: Change, number: int = 1, fence: int = 1, state: str = APPLIED
    ) -> None:
        """Note a round's changes."""
        results = ((change, state, "") for change in changes)
        self.aws.journal.receipt("c", round_of(fence, number), results)

    def judge(self, **more: Any) -> dict[str, Any]:
        """Run the state, in good time unless told otherwise."""
        event = {
            "run": RUN,
            "change_id": "c",
            "round": 1,
            "asked": 0,
            "baseline": [{"inline": self.baseline}],
            "findings": [self.aws.artifacts.pack(self.findings, "findings", budget=10)],
            "previous": None,
            "attempt": 1,
            "waited": 0,
            "config": {"budgets": {"prove": "60s"}},
            **more,
        }
        return judge_proof.handler(event, None)

    def undone(self) -> list[tuple[str, Any, Any]]:
        """Judge at the end of the budget; return what would be taken back."""
        judged = self.judge(waited=60)
        assert judged["word"] == "worse"
        return [
            (change["key"], change["before"], change["after"])
            for change in self.aws.artifacts.unpack(judged["undo"])
        ]


@pytest.fixture
def bench(aws: Stack) -> Bench:
    """Return a change after which its one host does not answer any more."""
    return Bench(aws)


@pytest.mark.parametrize(
    ("found", "waited", "word"),
    [
        (finding("a", "healthy"), 0, "proven"),
        (finding("a", "down", "dns"), 0, "again"),
        (finding("a", "down", "dns"), 59, "again"),
        (finding("a", "down", "dns"), 60, "worse"),
        (finding("a", "blind"), 60, "unproven"),
    ],
)
def test_the_word_depends_on_what_is_found_and_on_time(
    bench: Bench, found: Any, waited: int, word: str
) -> None:
    """The budget is the configuration's; only a regression that outlasts it is worse."""
    bench.journal(host("a", A, B))
    bench.findings = [found]

    judged = bench.judge(waited=waited)

    assert judged["word"] == word
    assert judged["proof"]["states"] == {found["state"]: 1}
    assert judged["undo_counts"]["resolver"] == (word == "worse")


@pytest.mark.parametrize(
    ("state", "waited", "word"),
    [("down", 0, "more"), ("down", 60, "worse"), ("healthy", 0, "proven")],
)
def test_new_causes_shorten_the_waiting_and_never_the_judgement(
    bench: Bench, state: str, waited: int, word: str
) -> None:
    """`more` goes round again with the change open; a verdict that is due is given."""
    bench.journal(host("a", A, B))
    bench.findings = [finding("a", state, "dns" if state == "down" else None)]
    bench.aws.table.update("lease", "stack", "SET asked = :n", n=1)

    assert bench.judge(waited=waited)["word"] == word
    assert bench.judge(waited=waited, asked=1)["word"] == word.replace("more", "again")


def test_a_steady_stream_of_causes_does_not_keep_a_change_open(bench: Bench) -> None:
    """After some rounds the proof is given its time, and the newest causes wait for it."""
    bench.journal(host("a", A, B))
    last = judge_proof.PATIENT - 1

    words = [bench.judge(asked=1, round=round_)["word"] for round_ in (last, last + 1)]

    assert words == ["more", "again"]


def test_only_hosts_that_are_worse_are_taken_back(bench: Bench) -> None:
    """The others stay, and the verdict on what goes back is ours: nobody need approve it."""
    bench.journal(host("a", A, B), host("b", A, B))
    bench.baseline.append(finding("b", "down", "dns"))
    bench.findings.append(finding("b", "down", "dns"))

    (back,) = bench.aws.artifacts.unpack(bench.judge(waited=60)["undo"])

    assert (back["key"], back["before"], back["after"]) == ("a.example.com", B, A)
    assert back["verdict"]["word"] == "apply"


def test_several_rounds_go_back_to_before_the_first(bench: Bench) -> None:
    """Ten rounds of one run, then one of the run that adopted the change after a crash."""
    for number in range(1, 11):
        bench.journal(host("a", B if number % 2 else A, A if number % 2 else B), number=number)
    bench.journal(host("a", B, C), number=1, fence=2)

    assert bench.undone() == [("a.example.com", C, B)]


def test_a_conflict_is_not_undone(bench: Bench) -> None:
    """What somebody else wrote in between is where the change really began."""
    bench.journal(host("a", A, B), state=CONFLICT)
    bench.journal(host("a", D, B), number=2)

    assert bench.undone() == [("a.example.com", B, D)]


def test_a_domain_goes_back_with_a_host_that_is_in_it(bench: Bench) -> None:
    """The nameserver was set by this change, and the host does not answer through it."""
    bench.journal(host("a", A, B), SPLIT)

    assert ("example.com", SPLIT.after, None) in bench.undone()


@pytest.mark.parametrize(
    ("found", "taken_back"),
    [
        (finding("a", "down", "dns"), True),
        (finding("_acme-challenge.x", "down", "dns", "rest-of-zone"), True),
        (finding("a", "down", "tcp", "magic-dns"), False),
    ],
)
def test_a_document_that_was_taken_over_goes_back_whole(
    bench: Bench, found: Any, *, taken_back: bool
) -> None:
    """With its CronJob: if what it answers became worse, also for names that are no exposures."""
    bench.journal(DOCUMENT, CRON_JOB, host("a", None, B))
    bench.baseline = [{**found, "state": "healthy", "hop": None}]
    bench.findings = [found]

    back = {key: after for key, _, after in bench.undone()}

    assert (back.get("(document)") == DOCUMENT.before) == taken_back
    assert (back.get("cronjob/updater") == CRON_JOB.before) == taken_back


def test_a_view_is_proven_since_the_first_time_it_was(bench: Bench) -> None:
    """Attempts hand their proof on."""
    bench.journal(host("a", A, B))
    bench.findings = [finding("a", "healthy")]

    judged = bench.judge(previous={"views": {"public": "then", "tailnet": "earlier"}})

    assert judged["proof"]["views"] == {"public": "then", "tailnet": "earlier"}


def test_a_run_that_lost_the_lease_judges_nothing(bench: Bench) -> None:
    """It would undo what its successor has done."""
    bench.aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        bench.judge(waited=60)
