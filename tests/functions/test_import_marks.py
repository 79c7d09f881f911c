"""Import Marks: the survey, whose marks pass to whom, who must not be at work, and the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import import_marks
from tailkeeper.adapters.opening import id_of
from tests.support.handlers import RUN
from tests.support.worlds import Bench, documents


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

CAUSE = {"kind": "person", "id": "e", "at": "2026-11-21T23:00:00Z", "by": "me", "ref": ""}
VALUE = '"heritage=external-dns,external-dns/owner=x,external-dns/resource=httproute/a/app"'
RIVAL = {
    "namespace": "dns",
    "name": "external-dns",
    "replicas": 1,
    "args": ["--txt-owner-id=x"],
}


def look(
    owner: str = "x", successor: str = "", zone: str = "", why: str = "", **more: Any
) -> dict[str, Any]:
    """Run the state in a zone with one name of owner x."""
    bench = Bench([], external_dns=more.pop("external_dns", []))
    bench.add(type="CNAME", name="app.example.com", content="gw.example.net")
    bench.add(type="TXT", name="cname-app.example.com", content=VALUE)
    world = bench.world()
    world.zones["example.com"]["why"] = why  # type: ignore[index]
    event = {
        "run": {**RUN, **more},
        "config": bench.config.as_json(),
        "marks": {"owner": owner, "as": successor, **({"zone": zone} if zone else {})},
        "causes": [CAUSE],
        "observed": {name: {"inline": seen} for name, seen in documents(world).items()},
    }
    return import_marks.handler(event, None)


def test_a_mark_passes_to_the_owner_of_the_zone(aws: Stack) -> None:
    """As a change of its own, opened in the journal; nothing is probed."""
    answer = look()

    (change,) = answer["plan"]["inline"]
    assert (change["surface"], change["key"]) == ("records", "mark/cname-app.example.com")
    assert change["after"]["mark"] == VALUE.replace("=x", "=homelab")
    assert (change["verdict"]["word"], change["causes"]) == ("apply", [CAUSE])
    assert (answer["apply"], answer["probes"], answer["apply_counts"]["records"]) == (True, [], 1)
    assert aws.journal.open_change() == answer["change_id"] == id_of(RUN)
    (zone,) = answer["survey"]["inline"]
    assert (zone["zone"], zone["owner"], zone["as"]) == ("example.com", "x", "homelab")
    assert zone["names"][0]["host"] == "app.example.com"


def test_looking_changes_nothing(aws: Stack) -> None:
    """A dry run shows the same, and no change is opened."""
    answer = look(dry_run=True, fence=0)

    assert answer["survey"]["inline"][0]["marks"] == answer["counts"]["update"] == 1
    assert (aws.journal.open_change(), aws.table.query("changes")) == (None, [])


def test_no_mark_is_taken_from_who_is_at_work(aws: Stack) -> None:
    """An ExternalDNS that runs with that owner would bring them back: it is named, and held."""
    answer = look(external_dns=[RIVAL])

    (change,) = answer["plan"]["inline"]
    assert change["verdict"]["word"] == "hold"
    assert "dns/external-dns" in change["verdict"]["reasons"][0]
    assert not answer["apply"]
    assert "dns/external-dns" in answer["survey"]["inline"][0]["running"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"owner": "x", "successor": "y"}, "marks pass to or from homelab"),
        ({"owner": ""}, "not from homelab to homelab"),
        ({"zone": "example.net"}, "example.net is no configured zone; there are: example.com"),
    ],
)
def test_what_makes_no_sense_is_refused(aws: Stack, asked: dict[str, str], told: str) -> None:
    """One side is always the owner that the zone is configured with."""
    with pytest.raises(import_marks.BadRequest, match=told):
        look(**asked)

    assert aws.journal.open_change() is None


def test_the_way_back(aws: Stack) -> None:
    """From the owner of the zone to X: here there is nothing of ours to give."""
    answer = look(owner="", successor="x")

    assert (answer["plan"]["inline"], answer["apply"]) == ([], False)
    assert answer["survey"]["inline"][0]["others"] == {"x": 1}
    assert aws.journal.open_change() is None


def test_a_zone_that_cannot_be_read_is_told(aws: Stack) -> None:
    """Nothing is concluded from it, and the change fails with the reason."""
    answer = look(why="503")

    assert answer["unread"] == {"records": "example.com: 503"}
    assert answer["survey"]["inline"] == []
