"""From a change of a name to what is written for it: its records, and the marks that go with them.

A batch is one transaction: deletes, patches, then posts. A record keeps its id where its type
stays; a change of type is a delete and a post.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.records.batches import Edit
from tailkeeper.records.held import AUTOMATIC, mark_of, part_of
from tailkeeper.records.marks import marks_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change
    from tailkeeper.records.held import Held

    Record = Mapping[str, Any]
    Body = dict[str, Any]

UNSAID = {"comment": "", "tags": []}  # what clears them: a field that is left out stays


def edit_of(zone: ZoneConfig, change: Change, held: Held) -> Edit:
    """Return what brings a name from what it holds to the change's `after`."""
    value = change.after or {"records": []}
    records = Pairing([(record, _body(change.key, part_of(record))) for record in held.ours])
    records.pair([_body(change.key, part) for part in value["records"]], "type")
    marks = Pairing([(text, _text(mark_of(text))) for text in held.marks])
    marks.pair([_text(mark) for mark in marks_of(zone, change.key, change.after)], "name")
    return Edit(
        change.key,
        tuple({"id": record["id"]} for record, _ in (*records.standing, *marks.standing)),
        (*records.patches, *marks.patches),
        (*records.posts, *marks.posts),
    )


def _body(name: str, part: Record) -> Body:
    return {"name": name, **part}


def _text(mark: Record) -> Body:
    return {"name": mark["name"], "type": "TXT", "ttl": AUTOMATIC, **mark}


class Pairing:
    """What stands, and what is to stand: the same is left alone, the like of it is patched.

    The same go first, so that no patch writes what another record has yet to give up. What is left
    of `standing` has no successor.
    """

    def __init__(self, standing: Iterable[tuple[Record, Body]]) -> None:
        self.standing = list(standing)
        self.patches: list[Body] = []
        self.posts: list[Body] = []

    def pair(self, wanted: Iterable[Body], kind: str) -> None:
        """Pair what stands with what is wanted; two are alike when this field of theirs is."""
        self.posts = list(wanted)
        for fields in ((kind, "content"), (kind,)):
            for record, body in list(self.standing):
                alike = (w for w in self.posts if all(w[f] == body[f] for f in fields))
                if successor := next(alike, None):
                    self.standing.remove((record, body))
                    self.posts.remove(successor)
                    if successor != body:
                        self.patches.append(_patch(record["id"], body, successor))


def _patch(identity: str, body: Body, successor: Body) -> Body:
    cleared = {field: empty for field, empty in UNSAID.items() if field in body}
    return {"id": identity, **cleared, **successor}
