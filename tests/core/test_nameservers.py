"""Nameservers that somebody else put beside ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailkeeper.coexistence.ledger import noted, settled
from tailkeeper.planning import Draft, plan_world
from tailkeeper.world import Memory
from tests.support.worlds import Bench, device, route


OURS, OLD, NAS, DEAD, LAN = ("100.64.0.9", "100.64.0.8", "100.64.0.7", "100.64.0.66", "192.168.1.1")
KNOWN = Memory(carriers={"homelab/dns/dns": {"nodes": ["n8"], "answers": [OLD]}})


def look(standing: list[str], **more: Any) -> Draft:
    """Plan split DNS for a list that stands; a NAS is in the tailnet."""
    bench = Bench([route("a")], split_dns={"example.com": standing}, memory=KNOWN)
    bench.devices.append(device(7, "nas", "nas", connected=more.pop("connected", True)))
    bench.resolver |= more
    return plan_world(bench.world(), ["split-dns"], 0)


@pytest.mark.parametrize(
    ("standing", "after"),
    [
        ([], [OURS]),
        ([OURS], None),
        ([OLD], [OURS]),
        ([DEAD], [OURS]),
        ([OURS, NAS], None),
        ([NAS, OURS, LAN], None),
        ([OLD, NAS], [NAS, OURS]),
        ([OLD, LAN], [OURS, LAN]),
        ([OURS, DEAD], [OURS]),
    ],
)
def test_who_may_answer_stays_beside_ours(standing: list[str], after: list[str] | None) -> None:
    """Our members are ours to change; an address that nobody holds answers nobody."""
    draft = look(standing)

    changes = draft.plan.with_word("apply") if draft.plan else ()
    assert [sorted(c.after["nameservers"]) for c in changes] == ([sorted(after)] if after else [])
    stays = [report for report in draft.reports if "stays" in report]
    assert bool(stays) == bool(set(standing) & {NAS, LAN})
    assert all(("nas" in report) == (NAS in standing) for report in stays)


@pytest.mark.parametrize("standing", [[NAS], [LAN], [NAS, DEAD, LAN]])
def test_a_domain_that_is_somebody_elses_is_held(standing: list[str]) -> None:
    """Clients would get now his answer, now ours; `take_over` is the order to end that."""
    held, taken = look(standing), look(standing, take_over=True)

    assert held.plan
    assert taken.plan
    (change,) = held.plan.changes
    assert change.verdict
    assert (change.verdict.word, change.verdict.row) == ("hold", 2)
    assert "take_over: true" in change.verdict.reasons[0]
    (change,) = taken.plan.with_word("apply")
    assert change.after == {"nameservers": [OURS]}


def test_a_device_that_is_offline_answers_nobody() -> None:
    """The resolver's own offline twin, before we ever knew it, is such a one."""
    draft = look([NAS], connected=False)

    assert draft.plan
    assert [c.after for c in draft.plan.with_word("apply")] == [{"nameservers": [OURS]}]


def test_who_joined_our_list_is_no_revert() -> None:
    """When our own address moves, what was put beside it goes along."""
    bench = Bench([route("a")], split_dns={"example.com": [OLD, NAS]}, memory=KNOWN)
    bench.devices.append(device(7, "nas", "nas"))
    line = noted(None, None, {"nameservers": [OLD]}, "", 0)
    ledgers = {"tailnet": settled({"example.com": line}, ["example.com"])}
    bench.memory = replace(bench.memory, ledgers=ledgers)

    draft = plan_world(bench.world(), ["split-dns"], 0)

    assert draft.plan
    assert not [report for report in draft.reports if "once" in report]
    (change,) = draft.plan.with_word("apply")
    assert change.after == {"nameservers": [NAS, OURS]}
