"""The `resolver` surface: what the split-horizon CoreDNS of a cluster should say, host by host.

A document that is not ours is a change of its own, as is what a take-over does to workloads beside
it (`tailkeeper.resolver.workloads`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change
from tailkeeper.resolver.document import family, is_intact, parse, render
from tailkeeper.resolver.workloads import is_workload, values


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.config import ResolverConfig
    from tailkeeper.records.surface import Wanted

DOCUMENT = "(document)"


def plan_resolver(
    resolver: ResolverConfig,
    place: str,
    text: str | None,
    wanted: Mapping[str, Wanted],
) -> list[Change]:
    """Return the changes of one resolver: of each host, and of a document that is not ours.

    `text` is the document as it stands, None where there is none.
    """
    entries = entries_of(text)
    changes = [
        _host_change(place, host, entries.get(host), wanted.get(host))
        for host in entries.keys() | wanted.keys()
    ]
    if text is None or not is_intact(resolver, text):
        changes.append(_document_change(resolver, place, text))
    return [change for change in changes if change]


def entries_of(text: str | None) -> Mapping[str, tuple[str, ...]]:
    """Return the entries of a document, none where it is absent or somebody else's."""
    return (parse(text) if text else None) or {}


def standing(resolver: ResolverConfig, observed: Mapping[str, Any], change: Change) -> Any:
    """Return what a change's key holds by an observation, in the words of changes."""
    text = observed["text"]
    if is_workload(change.key):
        # What is gone is done: it neither writes nor reads.
        return values(resolver, observed).get(change.key, change.after)
    if change.key == DOCUMENT:
        ours = text is not None and is_intact(resolver, text)
        return _frame(resolver) if ours else None if text is None else {"text": text}
    addresses = entries_of(text).get(change.key)
    return {"addresses": list(addresses)} if addresses else None


def applied(resolver: ResolverConfig, text: str | None, changes: Iterable[Change]) -> str | None:
    """Return the document after the changes; an undone document is its former text, or none."""
    entries = dict(entries_of(text))
    for change in changes:
        if change.key == DOCUMENT and (not change.after or "text" in change.after):
            return change.after["text"] if change.after else None
        if change.key != DOCUMENT and not is_workload(change.key):
            entries.pop(change.key, None)
            if change.after:
                entries[change.key] = tuple(change.after["addresses"])
    return render(resolver, entries, text or "")


def _host_change(
    place: str, host: str, before: tuple[str, ...] | None, wanted: Wanted | None
) -> Change | None:
    after = tuple(sorted(wanted.targets, key=family)) if wanted else None
    if before == after and before != ():
        return None
    return Change(
        "resolver",
        host,
        {"addresses": list(before)} if before else None,
        None if after is None else {"addresses": list(after)},
        place=place,
        gateway=wanted.gateway if wanted else "",
        moved=bool(wanted and before and set(before) <= wanted.former),
        source=wanted.source if wanted else "",
    )


def _document_change(resolver: ResolverConfig, place: str, text: str | None) -> Change:
    before = None if text is None else {"text": text}
    return Change("resolver", DOCUMENT, before, _frame(resolver), place=place)


def _frame(resolver: ResolverConfig) -> dict[str, Any]:
    """Return what a document of ours is besides its entries."""
    frame: dict[str, Any] = {"mode": resolver.mode, "domains": list(resolver.domains)}
    if resolver.mode == "corefile":
        frame |= {"otherwise": resolver.otherwise, "upstreams": list(resolver.upstreams)}
    return frame
