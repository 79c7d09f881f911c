"""State Judge Proof: mended, broken, or too early to say; and what would take it back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.journal import CONFLICT
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config
from tailkeeper.hostnames import zone_of
from tailkeeper.model import SURFACES, Verdict
from tailkeeper.moments import rfc3339
from tailkeeper.proof.judging import judge_proof, undoing
from tailkeeper.resolver.surface import DOCUMENT


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.model import Change
    from tailkeeper.proof.judging import Proof

BY_RESOLVER = {"split-dns", "rest-of-zone"}  # paths on which its document decides
PATIENT = (
    10  # from this round on causes wait: else a steady stream would keep a change open for ever
)
logger = Logger(service="judge-proof")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {word, proof, undo, undo_counts}; word is again, more, proven, unproven or worse.

    `more` means that new causes cut the waiting short: the change stays open, nothing is judged.
    An undo gathers no causes (`asked` is None), so that none hurry it.
    """
    lease = stack().lease(event["run"]).renew()
    entries = stack().journal.entries(event["change_id"])
    changes = [entry.change for entry in entries if entry.state != CONFLICT]
    after = findings(event["findings"])
    proof = judge_proof(
        findings(event["baseline"]),
        after,
        touched(changes, {finding["host"] for finding in after}),
        last=event["waited"] >= Config.from_json(event["config"]).budgets.prove,
        attempt=event["attempt"],
        now=rfc3339(time.time()),
        proven_before=(event["previous"] or {}).get("views"),
    )
    undo = undoing(changes, *broken(proof, changes)) if proof.word == "worse" else []
    if proof.word == "worse" and not undo:  # it was others' doing: nothing can be taken back
        proof = replace(proof, word="unproven")
    waiting = event["asked"] is not None and lease.get("asked") != event["asked"]
    hurried = waiting and event["round"] < PATIENT
    impatient = proof.word == "again" and hurried
    word = "more" if impatient else proof.word
    logger.info("judged", extra={"change": event["change_id"], "word": word, **proof.states})
    approved = [
        change.judged(Verdict("apply", 0, ("takes back what it broke",))) for change in undo
    ]
    return {
        "word": word,
        "proof": proof.as_json(),
        "undo": stack().artifacts.pack([change.as_json() for change in approved], "plans"),
        "undo_counts": {s: sum(change.surface == s for change in undo) for s in SURFACES},
    }


def findings(batches: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings of every packed batch."""
    return [finding for batch in batches for finding in stack().artifacts.unpack(batch)]


def touched(changes: Iterable[Change], hosts: Iterable[str]) -> frozenset[str]:
    """Return the hosts that a change is about; a domain, or a whole document, stands for many."""
    keys = {change.key for change in changes}
    domains = {change.key for change in changes if change.surface == "split-dns"}
    return frozenset(
        host for host in hosts if host in keys or DOCUMENT in keys or zone_of(host, domains)
    )


def broken(proof: Proof, changes: Iterable[Change]) -> tuple[set[str], set[str], set[str]]:
    """Return what is worse: hosts, their split-DNS domains, places of documents taken over."""
    made = list(changes)
    hosts = {finding["host"] for finding in proof.worse}
    domains = [change.key for change in made if change.surface == "split-dns"]
    resolved = {finding["host"] for finding in proof.worse if finding["path"] in BY_RESOLVER}
    return (
        hosts,
        {domain for host in hosts if (domain := zone_of(host, domains))},
        {change.place for change in made if any(takes_over(change, host) for host in resolved)},
    )


def takes_over(change: Change, host: str) -> bool:
    """Return whether a change replaces somebody's document that answered for the host."""
    return (
        change.key == DOCUMENT
        and bool(change.before and change.after)
        and bool(zone_of(host, change.after["domains"]))
    )
