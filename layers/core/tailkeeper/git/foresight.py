"""What commits foresee of a cluster: the objects as they will be once it has applied them.

Git never replaces what a cluster says of itself. Its manifests are laid over the cluster's objects
as if every Gateway accepted its routes, to tell which names come, and which a commit took away. A
name is taken away by a commit only when an earlier one, of the same branch, is known to have had it
and its file was read whole: what is in a broken file keeps its last good version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.git.overlay import ROUTES, laid_over, placed, source_of
from tailkeeper.sources import discover


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tailkeeper.config import Config
    from tailkeeper.model import Exposure

    Document = Mapping[str, Any]
    Known = dict[str, dict[str, Any]]

SHORT = 7  # characters of a commit's name
MISSHAPEN = (AttributeError, IndexError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class Foresight:
    """What the commits of a run foresee.

    `clusters` are the observations as they will be, `early` the exposures that do not wait for
    them. By branch: `known` is what the commit has, {commit, at, sources}, and `vanished` which
    hosts it took away. `troubles` are what was not read, in words, `reports` what was left out.
    `missed` are the places of pushes that may be read later. `proposed`: a pull request's, of which
    nothing is remembered.
    """

    clusters: Mapping[str, Document] = field(default_factory=dict)
    early: tuple[Exposure, ...] = ()
    known: Mapping[str, Document] = field(default_factory=dict)
    vanished: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    proposed: bool = False


def foresee(
    clusters: Mapping[str, Document],
    commits: Sequence[Document],
    memory: Mapping[str, Document],
    config: Config,
) -> Foresight:
    """Return what the commits foresee; `memory` is what is known of each branch's last one."""
    future, known, vanished = dict(clusters), {}, {}
    early: list[Exposure] = []
    troubles: list[str] = []
    missed: list[str] = []
    for commit in commits:
        troubles += _troubles(commit)
        cluster = future.get(commit["cluster"])
        if commit["why"]:
            missed += [_place(commit)] if commit["again"] else []
            continue  # who does not know both sides compares nothing
        if cluster is None or cluster["partial"]:
            why = f"cluster {commit['cluster']} was not read whole"
            troubles.append(f"{named(commit)} foresees nothing: {why}")
            continue
        last = {} if commit["pull"] else memory.get(commit["key"], {})
        seen = _Seen(commit, cluster, last, config)
        troubles += seen.troubles
        future[commit["cluster"]] = seen.cluster
        known[commit["key"]], vanished[commit["key"]] = seen.known, seen.vanished
        if commit["apply"] == "at-once":
            shown = {e.host for e in discover(clusters[commit["cluster"]], config).exposures}
            early += [e for e in seen.exposures if e.host not in shown]
    proposed = any(commit["pull"] for commit in commits)
    reports = tuple(report for commit in commits for report in _left_out(commit))
    told = {"reports": reports, "troubles": tuple(troubles), "missed": tuple(missed)}
    return Foresight(future, tuple(early), known, vanished, **told, proposed=proposed)


def named(commit: Mapping[str, str]) -> str:
    """Return a commit in words."""
    return f"commit {commit['commit'][:SHORT]} of {commit['repository']}"


def _place(commit: Document) -> str:
    return " ".join(commit["key"].split()[:3])


def _troubles(commit: Document) -> Iterator[str]:
    name = named(commit)
    if commit["why"]:
        yield f"{name} was not read: {commit['why']}"
    for broken in commit["broken"]:
        yield f"{name}: {_told(broken)}"


def _left_out(commit: Document) -> Iterator[str]:
    for left in commit["left_out"]:
        yield f"{named(commit)}: {left['path']} is left out: {left['why']}"


def _told(broken: Document) -> str:
    place = f"{broken['path']}:{broken['line']}" if broken["line"] else broken["path"]
    return f"{place} is broken: {broken['why']}; its last good version stands"


class _Seen:
    """One commit laid over one cluster."""

    def __init__(self, commit: Document, cluster: Document, last: Document, config: Config) -> None:
        sound, misshapen = _sound(cluster, placed(cluster, commit["objects"]), config)
        self.troubles = [f"{named(commit)}: {_told(one)}" for one in misshapen]
        broken = {one["path"] for one in (*commit["broken"], *misshapen)}
        unsaid = broken | {one["path"] for one in commit["left_out"]}
        before: Known = last.get("sources") or _before(cluster, commit["previous"], config)
        new = {source_of(one) for one in sound}
        # Where a file is gone while another is broken, what was in it may have moved there.
        stays = {
            source: what
            for source, what in before.items()
            if source not in new
            and (what["path"] in unsaid or (broken and what["path"] not in commit["files"]))
        }
        gone = before.keys() - stays.keys() - new
        self.cluster = laid_over(cluster, sound, without=gone)
        shown = discover(self.cluster, config).exposures
        self.exposures = [e for e in shown if e.source in new]
        told = {"commit": commit["commit"], "at": commit["at"]}
        self.known = {**told, "sources": {**stays, **_by_source(self.exposures, sound)}}
        lost = _hosts(before) - _hosts(stays) - {e.host for e in shown}
        self.vanished = {h: {**told, "repository": commit["repository"]} for h in sorted(lost)}


def _before(cluster: Document, previous: Document | None, config: Config) -> Known:
    """Return what the commit before has, by what it would make of the cluster."""
    if not previous:
        return {}
    sound, _ = _sound(cluster, placed(cluster, previous["objects"]), config)
    new = {source_of(one) for one in sound}
    shown = discover(laid_over(cluster, sound), config).exposures
    return _by_source([e for e in shown if e.source in new], sound)


def _by_source(exposures: Sequence[Exposure], objects: Sequence[Document]) -> Known:
    paths = {source_of(one): one["path"] for one in objects}
    found: Known = {}
    for exposure in exposures:
        what = found.setdefault(exposure.source, {"path": paths[exposure.source], "hosts": []})
        if exposure.host not in what["hosts"]:
            what["hosts"].append(exposure.host)
    return found


def _hosts(sources: Known) -> set[str]:
    return {host for what in sources.values() for host in what["hosts"]}


def _sound(
    cluster: Document, objects: Sequence[Document], config: Config
) -> tuple[list[Document], list[Document]]:
    """Return the objects that the sources can read, and what is wrong with the others.

    No API server has checked them: all at once they mostly pass, else each is tried.
    """
    if _reads(cluster, objects, config):
        return list(objects), []
    bare = {**cluster, "objects": {**cluster["objects"], **dict.fromkeys(ROUTES, ())}}
    sound = [one for one in objects if _reads(bare, [one], config)]
    why = "it is not shaped as its kind"
    return sound, [{**one, "why": why} for one in objects if one not in sound]


def _reads(cluster: Document, objects: Sequence[Document], config: Config) -> bool:
    try:
        discover(laid_over(cluster, objects), config)
    except MISSHAPEN:
        return False
    return True
