"""Git, end to end: a real push is planned before the cluster has it, and explains what goes."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import pytest

from tests.support.embedded import ROOT, Embedded, until
from tests.support.repositories import Clone


pytestmark = pytest.mark.world

ZONE = "hearth.example"
APPS = ROOT / "sandbox" / "homelab" / "apps"
MANIFEST = "apps/jukebox.yaml"


@pytest.fixture(scope="module")
def clone(world: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return a clone of the repository."""
    url = world.connection["git"]["clone_urls"]["me/homelab"]
    return Clone.of(url, tmp_path_factory.mktemp("clone") / "homelab")


def planned(world: Embedded, since: float) -> list[dict[str, Any]]:
    """Return the changes of the last plan since, once nothing runs any more."""
    world.outputs_since(since)
    run = max(world.runs_since(since), key=lambda one: one["startDate"])
    history = world.states.get_execution_history(
        executionArn=run["executionArn"], maxResults=1000, reverseOrder=True
    )
    texts = (e.get("taskSucceededEventDetails", {}).get("output", "") for e in history["events"])
    answer = json.loads(next(text for text in texts if '"troubles"' in text))["Payload"]
    changes: list[dict[str, Any]] = answer["plan"]["inline"]
    return changes


def verdicts(changes: list[dict[str, Any]]) -> set[tuple[str, str, str, int]]:
    """Return (action, name, word, row) of changes; other tests' names may still be on their way."""
    return {
        (c["action"], c["key"].partition(".")[0], c["verdict"]["word"], c["verdict"]["row"])
        for c in changes
        if c["key"].startswith("jukebox")
    }


def names(world: Embedded) -> set[str]:
    """Return the zone's CNAMEs by their first label."""
    found = world.records(ZONE)
    return {name.partition(".")[0] for kind, name in found if kind == "CNAME"}


def test_a_push_is_planned_then_written(in_step: Embedded, clone: Clone) -> None:
    """What comes, and later what goes, waits for the cluster; then it is done at once."""
    world, file = in_step, str(clone.folder / MANIFEST)
    jukebox = (APPS / "music.yaml").read_text().replace("music", "jukebox")
    began = time.time()
    clone.commit({MANIFEST: jukebox})
    assert verdicts(planned(world, began)) == {("Create", "jukebox", "wait", 0)}
    assert "jukebox" not in names(world)

    world.kubectl("apply", "-f", file)
    assert world.converge()["outcome"] == "applied"
    assert "jukebox" in names(world)

    began = time.time()
    sha = clone.commit({MANIFEST: None})
    assert verdicts(planned(world, began)) == {("Delete", "jukebox", "wait", 0)}

    for kind in ("httproute", "service", "deployment"):
        world.kubectl("-n", "jukebox", "delete", kind, "--all")
    began = time.time()
    assert world.converge()["outcome"] == "applied"
    gone = planned(world, began)
    assert verdicts(gone) == {("Delete", "jukebox", "apply", 9)}
    reasons = [c["verdict"]["reasons"][0] for c in gone if c["key"].startswith("jukebox")]
    assert all(f"commit {sha[:7]} of me/homelab" in reason for reason in reasons)
    assert "jukebox" not in names(world)


def test_a_pull_request_is_told_its_plan(in_step: Embedded, clone: Clone) -> None:
    """As a status of its commit, with a link to all of it; nothing is written."""
    world = in_step
    before, admin = names(world), world.connection["git"]["admin_url"]
    sha = clone.commit({"apps/photos.yaml": None}, branch="feature")
    httpx.post(f"{admin}/pulls", json={"repository": "me/homelab", "head": "feature"})

    def told() -> list[dict[str, Any]]:
        statuses = httpx.get(f"{admin}/state").json()["statuses"]
        found: list[dict[str, Any]] = statuses.get(f"me/homelab {sha}", [])
        return found

    pending, last = until(told, lambda found: len(found) > 1)

    assert (pending["state"], last["state"]) == ("pending", "success")
    assert re.fullmatch(r"\d changes(, \d waiting)?", last["description"]), "others' names, too"
    assert len(last["target_url"]) < 255, "GitLab takes no longer one"
    page = httpx.get(last["target_url"], follow_redirects=True)
    assert f"Delete photos.{ZONE}" in page.text
    assert names(world) == before
