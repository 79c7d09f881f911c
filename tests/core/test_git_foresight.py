"""What commits foresee of a cluster, and what of it waits, goes, stays or comes early."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailkeeper.config import Config
from tailkeeper.git.foresight import foresee
from tailkeeper.git.planning import FORESEEN, plan_commits
from tailkeeper.git.remembering import commits_after, explained, pending_after
from tailkeeper.moments import epoch
from tailkeeper.world import Memory, World
from tests.support.worlds import SURFACES, Bench, route


KEY = "github me/homelab main"
SHA, OTHER = "abcdef0123", "0123456789"
AT = "2026-11-21T23:00:00Z"
NOW, WEEK = epoch(AT) + 3600, 7 * 24 * 3600


def manifest(name: str, path: str = "", **spec: Any) -> dict[str, Any]:
    """Return a route as a commit has it: no status, and whatever else is given."""
    made = route(name)
    made["status"] = {}
    made["spec"] = {**made["spec"], **spec}
    return {"kind": "HTTPRoute", "path": path or f"{name}.yaml", "line": 1, "object": made}


def commit(names: str, **more: Any) -> dict[str, Any]:
    """Return a commit with a file for each route, named by a letter."""
    return {
        "key": KEY,
        "repository": "me/homelab",
        "cluster": "homelab",
        "apply": "accepted",
        "pull": "",
        "commit": SHA,
        "at": AT,
        "why": "",
        "again": False,
        "objects": [manifest(name) for name in names],
        "broken": [],
        "left_out": [],
        "files": [f"{name}.yaml" for name in names],
        "previous": None,
        **more,
    }


def known(names: str, **more: Any) -> Memory:
    """Return the memory of a branch whose last commit has these routes."""
    sources = {
        f"httproute/apps/{name}": {"path": f"{name}.yaml", "hosts": [f"{name}.example.com"]}
        for name in names
    }
    return Memory(commits={KEY: {"commit": OTHER, "at": AT, "sources": sources, **more}})


def in_step(names: str) -> Bench:
    """Return a world in step with its cluster's routes."""
    bench = Bench([route(name) for name in names])
    plan = bench.plan()
    assert plan
    bench.apply(plan.with_word("apply"))
    return bench


def seen(bench: Bench, *commits: dict[str, Any], memory: Memory | None = None) -> World:
    """Return the world with what the commits foresee of it."""
    repository = {"provider": "github", "name": "me/homelab"}
    repository |= {"apply": commits[0]["apply"]} if commits else {"apply": "at-once"}
    config = Config.from_json({**bench.config.as_json(), "repositories": [repository]})
    world = replace(bench.world(), memory=memory or Memory(), config=config)
    foresight = foresee(world.clusters, commits, world.memory.commits, config) if commits else None
    vanished = foresight.vanished if foresight else {}
    pending = explained(world.memory.pending, vanished)
    return replace(world, foresight=foresight, pending=pending)


def verdicts(world: World) -> dict[tuple[str, str], tuple[str, int]]:
    """Return (action, host) of the records' changes with word and row."""
    plan = plan_commits(world, SURFACES, NOW, 300).plan
    return {
        (c.action, c.key.partition(".")[0]): (c.verdict.word, c.verdict.row)
        for c in (plan.changes if plan else ())
        if c.verdict and c.surface == "records"
    }


def hosts(found: Any) -> list[str]:
    """Return the names of hosts, without their domain."""
    return sorted(host.partition(".")[0] for host in found)


def test_what_the_cluster_shows_already_changes_nothing() -> None:
    """A commit that is applied foresees nothing; what it has is remembered."""
    world = seen(in_step("ab"), commit("ab"))

    assert verdicts(world) == {}
    assert hosts(h for s in commits_after(world)[KEY]["sources"].values() for h in s["hosts"]) == [
        "a",
        "b",
    ]


def test_a_name_that_comes_waits_for_the_cluster() -> None:
    """The plan is there before the cluster has applied the push, and nothing is written yet."""
    world = seen(in_step("a"), commit("ab"))

    assert verdicts(world) == {("Create", "b"): ("wait", FORESEEN)}


def test_a_name_comes_at_once_where_that_is_configured() -> None:
    """It stays, though no later run sees the commit, until the cluster shows it."""
    bench = in_step("a")
    world = seen(bench, commit("ab", apply="at-once"))
    plan = plan_commits(world, SURFACES, NOW, 300).plan
    assert plan
    assert verdicts(world) == {("Create", "b"): ("apply", 13)}
    bench.apply(plan.with_word("apply"))
    later = Memory(commits=commits_after(world))

    assert later.commits[KEY]["ahead"] == ["b.example.com"]
    assert verdicts(seen(bench, memory=later)) == {}
    bench.routes.append(route("b"))
    assert commits_after(seen(bench, memory=later))[KEY]["ahead"] == []


def test_a_name_that_came_at_once_goes_with_the_commit_that_takes_it_back() -> None:
    """Though the cluster never showed it."""
    bench = in_step("ab")
    bench.routes.pop()
    memory = known("ab", ahead=["b.example.com"])

    world = seen(bench, commit("a", apply="at-once"), memory=memory)

    assert verdicts(world) == {("Delete", "b"): ("apply", 9)}


def test_a_name_that_goes_waits_until_the_cluster_drops_it() -> None:
    """Then it goes at once, explained by the commit, in whatever number."""
    bench = in_step("abcd")
    world = seen(bench, commit("a"), memory=known("abcd"))
    assert set(verdicts(world).values()) == {("wait", FORESEEN)}
    later = Memory(commits=commits_after(world), pending=pending_after(world, NOW))
    del bench.routes[1:]

    gone = seen(bench, memory=later)

    assert verdicts(gone) == {("Delete", name): ("apply", 9) for name in "bcd"}
    plan = plan_commits(gone, SURFACES, NOW, 300).plan
    verdict = plan.changes[0].verdict if plan else None
    assert verdict
    assert "commit abcdef0 of me/homelab took it away" in verdict.reasons[0]


def test_what_no_commit_is_known_to_have_had_is_not_explained() -> None:
    """Another repository's route, gone for who knows what reason, goes by the usual rows."""
    bench = in_step("abc")
    del bench.routes[1:]

    assert set(verdicts(seen(bench, commit("a"))).values()) == {("wait", 10)}


def test_the_commit_before_is_compared_with_where_nothing_is_known() -> None:
    """The first push of a branch explains what it takes away too."""
    bench = in_step("abc")
    del bench.routes[1:]
    before = {name: commit("abc")[name] for name in ("objects", "files")}

    world = seen(bench, commit("a", previous=before))

    assert verdicts(world) == {("Delete", name): ("apply", 9) for name in "bc"}


BROKEN_B = [{"path": "b.yaml", "line": 3, "why": "no"}]


@pytest.mark.parametrize(
    ("more", "gone"),
    [
        ({}, ["b", "c"]),
        ({"broken": BROKEN_B, "files": ["a.yaml", "b.yaml", "c.yaml"]}, ["c"]),
        ({"broken": BROKEN_B, "files": ["a.yaml", "b.yaml"]}, []),
        ({"broken": [{"path": "moved.yaml", "line": 1, "why": "no"}]}, []),
        (
            {"left_out": [{"path": "b.yaml", "why": "patched"}], "files": ["a.yaml", "b.yaml"]},
            ["c"],
        ),
    ],
    ids=["whole", "b broken", "b broken, c gone", "broken elsewhere", "b left out"],
)
def test_a_broken_file_keeps_its_last_good_version(more: dict[str, Any], gone: list[str]) -> None:
    """What was in it is not gone, and what was in a file that is gone may have moved there."""
    world = seen(in_step("abc"), commit("a", **more), memory=known("abc"))

    assert world.foresight
    assert hosts(world.foresight.vanished[KEY]) == gone
    assert bool(world.foresight.troubles) == ("broken" in more)
    kept = commits_after(world)[KEY]["sources"]
    assert hosts(h for s in kept.values() for h in s["hosts"]) == sorted({*"abc"} - {*gone})


@pytest.mark.parametrize(
    "spec",
    [{"parentRefs": [{"namespace": "tailscale"}]}, {"parentRefs": [{"name": ["gw"]}]}],
)
def test_a_manifest_that_no_api_server_would_take(spec: dict[str, Any]) -> None:
    """It is told by file and line, and the others are read."""
    made = commit("ab")
    made["objects"].append(manifest("c", **spec))
    made["files"].append("c.yaml")

    world = seen(in_step("abc"), made, memory=known("abc"))

    assert world.foresight
    assert "c.yaml:1 is broken" in world.foresight.troubles[0]
    assert world.foresight.vanished[KEY] == {}
    assert verdicts(world) == {}


@pytest.mark.parametrize("side", ["git", "cluster"])
def test_who_does_not_know_both_sides_compares_nothing(side: str) -> None:
    """A host that fails, or a cluster that was not read, foresees nothing and forgets nothing."""
    bench, memory = in_step("ab"), known("ab")
    bench.partial = {"HTTPRoute": "no"} if side == "cluster" else {}

    world = seen(
        bench, commit("", **({"why": "503", "again": True} if side == "git" else {})), memory=memory
    )

    assert verdicts(world) == {}
    assert world.foresight
    assert (world.foresight.known, world.foresight.vanished) == ({}, {})
    assert world.foresight.troubles, "a pull request must not be told that all is well"
    assert world.foresight.missed == ((KEY,) if side == "git" else ())
    assert commits_after(world)[KEY]["commit"] == OTHER


def test_a_pull_request_is_planned_as_if_it_were_applied() -> None:
    """Against the commit where it left its branch; nothing of it is remembered."""
    base = {name: commit("ab")[name] for name in ("objects", "files")}
    proposed = commit("bc", pull="7", previous=base)

    world = seen(in_step("ab"), proposed, memory=known("abz"))

    assert verdicts(world) == {("Delete", "a"): ("apply", 9), ("Create", "c"): ("apply", 13)}
    assert commits_after(world)[KEY]["commit"] == OTHER
    assert pending_after(world, NOW) == {}


def pending(name: str) -> Memory:
    """Return the memory of a name that a commit took away."""
    took = {"commit": OTHER, "repository": "me/homelab", "at": AT}
    return replace(known("a"), pending={KEY: {f"{name}.example.com": took}})


def test_a_name_is_pending_until_it_is_deleted() -> None:
    """While a surface answers it, however many runs pass; and no longer."""
    bench = in_step("ab")
    del bench.routes[1:]
    assert hosts(pending_after(seen(bench, memory=pending("b")), NOW)[KEY]) == ["b"]
    plan = plan_commits(seen(bench, memory=pending("b")), SURFACES, NOW, 300).plan
    assert plan
    bench.apply(plan.with_word("apply"))

    assert pending_after(seen(bench, memory=pending("b")), NOW) == {}


def test_a_name_is_pending_until_it_is_back() -> None:
    """A revert takes the explanation away."""
    world = seen(in_step("ab"), commit("ab"), memory=pending("b"))

    assert pending_after(world, NOW) == {}


def test_a_commit_that_nobody_applies_explains_nothing_for_ever() -> None:
    """After a week a loss has another reason."""
    world = seen(in_step("ab"), memory=pending("b"))

    assert pending_after(world, NOW) != {}
    assert pending_after(world, NOW + WEEK) == {}


def test_objects_without_a_namespace_are_their_only_namesakes() -> None:
    """A tool between git and the cluster sets it; where there is no namesake it is the default."""
    made = commit("ab")
    for one in made["objects"]:
        one["object"]["metadata"]["namespace"] = ""

    world = seen(in_step("a"), made)

    assert sorted(commits_after(world)[KEY]["sources"]) == [
        "httproute/apps/a",
        "httproute/default/b",
    ]
