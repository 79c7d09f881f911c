"""The batch: one transaction, in Cloudflare's order, of the plan's size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cloudflare import BadRequestError, NotFoundError


if TYPE_CHECKING:
    from tests.contract.cloudflare.conftest import Rig


def a(name: str, content: str = "192.0.2.1") -> dict[str, Any]:
    """Return an A record's fields."""
    return {"name": name, "type": "A", "content": content, "ttl": 1}


def test_the_four_lists_run_in_cloudflares_order(rig: Rig) -> None:
    """A name is freed, then taken by a patch, a put and a post, in one request of the SDK."""
    ids = [rig.zone.create(a(name)).wire["id"] for name in ("one", "two", "three")]
    lists: dict[str, Any] = {
        "posts": [{"name": "two", "type": "CNAME", "content": "gw.ts.net", "ttl": 1}],
        "puts": [{"id": ids[2], **a("three", "192.0.2.3")}],
        "patches": [{"id": ids[1], **a("one", "192.0.2.2")}],
        "deletes": [{"id": ids[0]}],
    }
    done = rig.sdk.dns.records.batch(zone_id=rig.zone.id, **lists)

    assert done
    assert all(len(getattr(done, kind)) == 1 for kind in lists)
    assert sorted((r.wire["name"], r.wire["content"]) for r in rig.zone.records) == [
        ("one.example.com", "192.0.2.2"),
        ("three.example.com", "192.0.2.3"),
        ("two.example.com", "gw.ts.net"),
    ]


@pytest.mark.parametrize(
    ("batch", "pointer", "code"),
    [
        ({"posts": [a("new"), a("bad", "nonsense")]}, "/posts/1", 9005),
        ({"posts": [a("new"), a("new")]}, "/posts/1", 81058),
        ({"posts": [{**a("kept"), "type": "CNAME", "content": "gw.ts.net"}]}, "/posts/0", 81053),
        ({"patches": [{"id": "kept", "ttl": 60}, {"id": "0" * 32}]}, "/patches/1", 81044),
        ({"deletes": [{"id": "kept"}, {"id": "kept"}]}, "/deletes/1", 81044),
        ({"puts": [{"id": "kept"}], "posts": [a("new")]}, "/puts/0", 1004),
    ],
)  # fmt: skip
def test_one_bad_operation_undoes_them_all(
    rig: Rig, batch: dict[str, Any], pointer: str, code: int
) -> None:
    """Nothing is carried out, nobody is told, and the error points at the operation."""
    kept = rig.zone.create(a("kept"))
    told: list[str] = []
    rig.stand_in.subscribe(lambda kind, _: told.append(kind))
    body = {
        kind: [op | ({"id": kept.wire["id"]} if op.get("id") == "kept" else {}) for op in ops]
        for kind, ops in batch.items()
    }

    with pytest.raises((BadRequestError, NotFoundError)) as error:
        rig.sdk.post(f"{rig.records}/batch", cast_to=object, body=body)

    (first,) = error.value.errors
    assert first.source
    assert (first.source.pointer, first.code) == (pointer, code)
    assert rig.zone.records == [kept]
    assert rig.zone.exists("kept.example.com")
    assert not rig.zone.exists("new.example.com")
    assert told == []


@pytest.mark.parametrize(
    ("plan", "limit"), [("free", 200), ("pro", 3500), ("business", 3500), ("enterprise", 3500)]
)
def test_a_batch_has_the_plans_size(rig: Rig, plan: str, limit: int) -> None:
    """As many operations as the plan allows pass; one more, and none is carried out."""
    rig.stand_in.load({"zones": [{"name": "example.com", "plan": plan}]})
    posts = [a(f"h{n}") for n in range(limit + 1)]

    refused = rig.http.post(f"{rig.records}/batch", json={"posts": posts})
    assert refused.status_code == 400
    assert rig.zone.records == []

    passed = rig.http.post(f"{rig.records}/batch", json={"posts": posts[:limit]})
    assert len(passed.json()["result"]["posts"]) == len(rig.zone.records) == limit


def test_subscribers_hear_of_each_committed_change_in_order(rig: Rig) -> None:
    """The world's DNS learns what happened after the transaction, not during it."""
    old = rig.zone.create(a("old")).wire
    told: list[tuple[str, str]] = []
    rig.stand_in.subscribe(lambda kind, record: told.append((kind, record["name"])))

    batch = {"deletes": [{"id": old["id"]}], "posts": [a("new")]}
    rig.http.post(f"{rig.records}/batch", json=batch)

    assert told == [("deleted", "old.example.com"), ("created", "new.example.com")]
