"""The operator's command in a running world: sweeps, plans, lists, and what scripts read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.embedded import ROOT, route


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

ZONE = "hearth.example"


@pytest.fixture
def unheard(in_step: Embedded) -> Iterator[Embedded]:
    """Publish a name of which no event tells; take it back afterwards."""
    in_step.kubectl("apply", "-f", "-", given=route("unheard", [f"unheard.{ZONE}"]))
    yield in_step
    in_step.kubectl("-n", "home", "delete", "httproute", "unheard")


def test_dry_run(unheard: Embedded) -> None:
    """A dry run tells what would change, and changes nothing; so does the input in events/."""
    before = unheard.records(ZONE)

    shown = unheard.command("run", "converge", "--dry-run")
    template = ROOT / "events" / "converge-dry-run.json"
    output = unheard.converge("--input", f"@{template}")

    assert shown.returncode == 0
    assert f"unheard.{ZONE}" in shown.stdout
    assert (output["outcome"], output["plan"]["create"]) == ("planned", 2)
    assert unheard.records(ZONE) == before


def test_sweep(unheard: Embedded) -> None:
    """F28: what no event told, a sweep finds; once it is done, the next one finds nothing."""
    found = unheard.command("run", "sweep", "--follow", "--json")
    idle = unheard.command("run", "sweep", "--json")

    assert found.returncode == 0, found.stderr
    output = json.loads(found.stdout)
    assert (output["outcome"], output["causes"][0]["kind"]) == ("applied", "sweep")
    assert unheard.ask(f"unheard.{ZONE}", "tailnet").ok
    assert json.loads(idle.stdout)["outcome"] == "in_sync"


def test_changes(in_step: Embedded) -> None:
    """The list and one change fit 100 columns without colours; an unknown one is a misuse."""
    listed = in_step.command("changes")
    newest = json.loads(in_step.command("changes", "--json").stdout)[0]["id"]
    one = in_step.command("changes", newest)
    unknown = in_step.command("changes", "20000101-000000-000000")

    told = listed.stdout + one.stdout
    assert max(map(len, told.splitlines())) <= 100
    assert "\x1b" not in told
    assert newest in listed.stdout
    assert all(word in one.stdout for word in ("cause", "proof", "tailnet view right"))
    assert (unknown.returncode, unknown.stdout) == (64, "")


def test_unknown_machine(world: Embedded) -> None:
    """A machine that this deployment does not have is a misuse, and those it has are named."""
    ran = world.command("run", "rotate")

    assert ran.returncode == 64
    assert "Converge, Sweep" in ran.stderr
