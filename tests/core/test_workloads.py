"""What a take-over does to workloads beside a resolver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailkeeper.coexistence.ledger import Line, mark_of, noted, settled
from tailkeeper.config import ResolverConfig
from tailkeeper.resolver.document import render
from tailkeeper.resolver.surface import applied, standing
from tailkeeper.resolver.workloads import DOCUMENT_LINE, cron_job, reads_once, restarted, taken_over


PLACE = "homelab/dns/hosts"
HOSTS = ResolverConfig("dns", "hosts", "hosts", "dns", ("example.com",))
COREFILE = replace(HOSTS, mode="corefile", key="Corefile")
DEAF = "example.com:53 {\n    errors\n    forward . 1.1.1.1\n}\n"
READER = {"kind": "Deployment", "name": "coredns", "restarted_for": ""}
RESTART = "restart/Deployment/coredns"


def observed(text: str | None, *writers: Any, readers: Any = ()) -> dict[str, Any]:
    """Return a resolver's observation."""
    return {"text": text, "writers": list(writers), "readers": list(readers)}


def writer(name: str, *, suspended: bool, **more: str) -> dict[str, Any]:
    """Return a CronJob that writes."""
    return {"kind": "CronJob", "namespace": "dns", "name": name, "suspended": suspended, **more}


def test_cron_jobs_are_suspended_wherever_they_are() -> None:
    """Each is a change that can be undone, and none of them touches the document."""
    text = render(HOSTS, {})
    at_work = [writer("a", suspended=False), writer("b", suspended=False, namespace="ops")]
    seen = observed(text, *at_work, writer("c", suspended=True))

    plan = list(taken_over(HOSTS, PLACE, seen, {}))

    assert [(c.key, c.before, c.after) for c in plan] == [
        ("cronjob/a", {"suspend": False}, {"suspend": True}),
        ("cronjob/ops/b", {"suspend": False}, {"suspend": True}),
    ]
    assert [cron_job(HOSTS, c.key) for c in plan] == [("dns", "a"), ("ops", "b")]
    assert applied(HOSTS, text, plan) == text
    assert [standing(HOSTS, seen, c) for c in plan] == [c.before for c in plan]
    gone = observed(text)
    assert [standing(HOSTS, gone, c) for c in plan] == [c.after for c in plan]


@pytest.mark.parametrize(
    ("resolver", "text", "once"),
    [
        (COREFILE, DEAF, True),
        (COREFILE, DEAF.replace("errors", "reload"), False),
        (COREFILE, DEAF.replace("errors", "reload 10s"), False),
        (COREFILE, render(COREFILE, {}), False),
        (COREFILE, "", False),
        (COREFILE, None, False),
        (COREFILE, "}{\n{\n}\n}", True),
        (HOSTS, DEAF, False),
    ],
)
def test_a_corefile_without_reload_is_read_once(
    resolver: ResolverConfig, text: str | None, *, once: bool
) -> None:
    """Ours has it; a hosts file is watched by the plugin itself."""
    assert reads_once(resolver, text) == once


def test_who_reads_once_is_restarted_for_the_document_that_goes() -> None:
    """One change, the same in every plan, until it is done."""
    seen = observed(DEAF, readers=[READER])

    (change,) = taken_over(COREFILE, PLACE, seen, {})

    assert (change.key, change.before) == (RESTART, {"restarted_for": ""})
    assert change.after == {"restarted_for": mark_of(DEAF)}
    assert restarted(change.key) == ("Deployment", "coredns")
    done = observed(DEAF, readers=[{**READER, **change.after}])
    assert list(taken_over(COREFILE, PLACE, done, {})) == []
    assert standing(COREFILE, done, change) == change.after


@pytest.mark.parametrize("done", [False, True])
def test_a_restart_that_a_dead_run_owes_is_made_up_for(*, done: bool) -> None:
    """The document is ours already: only the ledger tells that CoreDNS has not read it."""
    ours = render(COREFILE, {})
    lines: dict[str, Line] = {
        DOCUMENT_LINE: noted(None, DEAF, ours, "", 0),
        RESTART: noted(None, {}, {}, "", 0),
    }
    if done:
        lines = settled(lines, lines)

    plan = list(taken_over(COREFILE, PLACE, observed(ours, readers=[READER]), lines))

    assert [c.after for c in plan] == ([] if done else [{"restarted_for": mark_of(DEAF)}])
