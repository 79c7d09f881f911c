"""A whole world, planned by hand: observations in, the judged plan of a run out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tailkeeper.coexistence.ledger import Line
from tailkeeper.config import Config, ConfigError, Problem
from tailkeeper.config.reading import Section
from tailkeeper.decisions.decision import Decision
from tailkeeper.model import SURFACES
from tailkeeper.planning import plan_world
from tailkeeper.summary import counts_of
from tailkeeper.world import Memory, World, place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

READERS = ("tailnet", "cluster", "zones", "resolver")
KNOWN = (
    *("config", "observed", "memory", "surfaces", "now", "sweep_seconds"),
    *("event_nodes", "decisions", "approved", "pending"),
)


def world_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return {plan, counts, reports, unread}; raise ValueError for what is no such case."""
    config = Config.from_json(document["config"])
    if problems := [*_unknown(document), *_unobserved(config, document.get("observed"))]:
        raise ConfigError(problems)
    try:
        world = _world(config, document)
        surfaces = document.get("surfaces") or SURFACES
        period = document.get("sweep_seconds", 300)
        draft = plan_world(world, surfaces, document.get("now", 0), period)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"an observation is not shaped as it should be: {error!r}") from error
    return {
        "plan": draft.plan.as_json() if draft.plan else None,
        "counts": counts_of(draft.plan),
        "reports": list(draft.reports),
        "unread": dict(draft.unread),
    }


def _world(config: Config, document: Mapping[str, Any]) -> World:
    observed = document["observed"]
    return World(
        config,
        observed["tailnet"],
        {cluster["cluster"]: cluster for cluster in observed.get("cluster") or ()},
        observed.get("zones") or {},
        observed.get("resolver") or {},
        memory=_memory(document.get("memory") or {}),
        event_nodes=frozenset(document.get("event_nodes") or ()),
        decisions={d: _decision(d, told) for d, told in (document.get("decisions") or {}).items()},
        approved=frozenset(document.get("approved") or ()),
        pending=document.get("pending") or {},
    )


def _decision(digest: str, told: Mapping[str, Any]) -> Decision:
    change_id, since, by = (told.get(part, "") for part in ("change_id", "since", "by"))
    return Decision(digest, told["word"], change_id, since, 0, by=by)


def _memory(document: Mapping[str, Any]) -> Memory:
    missing, ledgers = document.get("missing") or {}, document.get("ledgers") or {}
    return Memory(
        document.get("carriers") or {},
        {(place, key): at for place, keys in missing.items() for key, at in keys.items()},
        {
            place: {key: Line.from_json(line) for key, line in lines.items()}
            for place, lines in ledgers.items()
        },
    )


def _unknown(document: Mapping[str, Any]) -> Iterator[Problem]:
    for key in document:
        if key not in KNOWN:
            yield Problem((key,), "is unknown", f"use {', '.join(KNOWN)}")


def _unobserved(config: Config, observed: Any) -> list[Problem]:
    """Return what was configured and not observed, by anybody, and what is no observation."""
    if not isinstance(observed, Mapping):
        return [Problem(("observed",), "is missing", f"give {', '.join(READERS)}")]
    problems: list[Problem] = []
    section = Section(observed, ("observed",), problems)
    seen: dict[str, Iterable[str]] = {
        "cluster": [cluster.text("cluster", "") for cluster in section.sections("cluster")],
        "zones": section.section("zones").keys,
        "resolver": section.section("resolver").keys,
        "tailnet": [""] if section.section("tailnet").keys else (),
    }
    asked: dict[str, Iterable[str]] = {
        "cluster": [cluster.name for cluster in config.clusters],
        "zones": [zone.name for zone in config.zones],
        "resolver": [place_of(cluster, resolver) for cluster, resolver in resolvers_of(config)],
        "tailnet": [""],
    }
    section.finish()
    for reader in READERS:
        for name in asked[reader]:
            if name not in seen[reader]:
                what = f"does not hold {name}" if name else "is missing"
                problems.append(Problem(("observed", reader), what, "give what its reader saw"))
    return problems
