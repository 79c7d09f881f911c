"""Workloads beside a resolver: CronJobs that a take-over suspends, a CoreDNS that it restarts.

Each is a change of the resolver's place. `cronjob/<name>` (`cronjob/<namespace>/<name>` where it
runs elsewhere) holds {"suspend"}; `restart/<Kind>/<name>` holds {"restarted_for"}, which stands for
the document that a CoreDNS without `reload` would otherwise keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.coexistence.ledger import mark_of
from tailkeeper.model import Change
from tailkeeper.resolver.corefile import server_blocks
from tailkeeper.resolver.document import parse


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.coexistence.ledger import Line
    from tailkeeper.config import ResolverConfig

CRON_JOB, RESTART = "cronjob/", "restart/"
DOCUMENT_LINE = ""  # the key of a resolver's whole document in its place's ledger


def is_workload(key: str) -> bool:
    """Say whether a resolver's change is one of a workload."""
    return key.startswith((CRON_JOB, RESTART))


def cron_job(resolver: ResolverConfig, key: str) -> tuple[str, str] | None:
    """Return the namespace and the name of the CronJob that a change of this key suspends."""
    if not key.startswith(CRON_JOB):
        return None
    namespace, _, name = key.removeprefix(CRON_JOB).rpartition("/")
    return namespace or resolver.namespace, name


def restarted(key: str) -> tuple[str, str] | None:
    """Return the kind and the name of the workload that a change of this key restarts."""
    kind, _, name = key.removeprefix(RESTART).partition("/")
    return (kind, name) if key.startswith(RESTART) else None


def values(resolver: ResolverConfig, observed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each workload's key holds, in the words of changes."""
    found = {
        _job_key(resolver, writer): {"suspend": writer["suspended"]}
        for writer in observed["writers"]
        if writer.get("kind", "CronJob") == "CronJob"
    }
    for reader in observed.get("readers", ()):
        key = f"{RESTART}{reader['kind']}/{reader['name']}"
        found[key] = {"restarted_for": reader["restarted_for"]}
    return found


def taken_over(
    resolver: ResolverConfig,
    place: str,
    observed: Mapping[str, Any],
    lines: Mapping[str, Line],
) -> Iterator[Change]:
    """Yield what a take-over does to workloads: suspend the writers, restart who does not reload.

    `lines` is the place's ledger: a restart that was noted and never done is done yet.
    """
    due = mark_of(observed["text"]) if reads_once(resolver, observed["text"]) else ""
    for key, value in values(resolver, observed).items():
        wanted = dict(value)
        if key.startswith(CRON_JOB):
            wanted = {"suspend": True}
        elif mark := due or _late(lines, key):
            wanted = {"restarted_for": mark}
        if value != wanted:
            yield Change("resolver", key, value, wanted, place=place)


def _late(lines: Mapping[str, Line], key: str) -> str:
    """Return what stands for the document that was replaced before a run died, or ""."""
    restart, document = lines.get(key), lines.get(DOCUMENT_LINE)
    return document.before if document and restart and not restart.done else ""


def reads_once(resolver: ResolverConfig, text: str | None) -> bool:
    """Say whether a document is a Corefile of others whose CoreDNS reads it at its start only."""
    if resolver.mode != "corefile" or not (text or "").strip() or parse(text or "") is not None:
        return False
    return not any(block.plugin("reload") is not None for block in server_blocks(text or ""))


def _job_key(resolver: ResolverConfig, writer: Mapping[str, Any]) -> str:
    elsewhere = writer.get("namespace", resolver.namespace) != resolver.namespace
    return f"{CRON_JOB}{writer['namespace'] + '/' if elsewhere else ''}{writer['name']}"
