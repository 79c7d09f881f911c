"""A change of an ownership mark alone: it passes to another owner, its record stays as it is.

Such a change is one of the `records` surface; its key is `mark/<name of the TXT record>`, its
values are `{"mark": content}`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change
from tailkeeper.ownership import HERITAGE, Mark
from tailkeeper.records.batches import Edit


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Record = Mapping[str, Any]

MARK = "mark/"


def mark_name(key: str) -> str:
    """Return the name of the mark that a change of this key is about, or ""."""
    return key.removeprefix(MARK) if key.startswith(MARK) else ""


def passed_on(zone: str, mark: Record, owner: str) -> Change:
    """Return the change that gives an observed mark to another owner."""
    content = str(mark["content"])
    after = {"mark": _owned(content, owner)}
    return Change("records", MARK + mark["name"], {"mark": content}, after, place=zone)


def standing_mark(texts: Iterable[Record], change: Change) -> dict[str, Any] | None:
    """Return what a mark says, in the words of the change; quotes are Cloudflare's to choose.

    `texts` are the TXT records of its name.
    """
    found = [str(record["content"]) for record in _marks(texts)]
    for value in (change.after, change.before):
        if value and any(_bare(content) == _bare(value["mark"]) for content in found):
            return dict(value)
    return {"mark": found[0]} if found else None


def edit_of_mark(texts: Iterable[Record], change: Change) -> Edit:
    """Return what gives the mark its new content; its id, TTL and comment stay."""
    patches = (
        {
            "id": record["id"],
            "name": record["name"],
            "type": "TXT",
            "content": change.after["mark"],
        }
        for record in _marks(texts)
        if _bare(record["content"]) == _bare(change.before["mark"])
    )
    return Edit(change.key, patches=tuple(patches))


def texts_by_name(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return a zone's TXT records by name."""
    texts: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record["type"] == "TXT":
            texts[record["name"]].append(record)
    return dict(texts)


def _marks(texts: Iterable[Record]) -> Iterator[Record]:
    return (text for text in texts if Mark.parse(text["content"]))


def _owned(content: str, owner: str) -> str:
    """Return a mark's content under another owner, all else to the letter where that can be."""
    mark = Mark.parse(content)
    label = f"{HERITAGE}/owner="
    text = re.sub(rf'(?<![^,"]){label}[^,"]*(?=[,"]|$)', lambda _: label + owner, content)
    if Mark.parse(text) == Mark(owner, mark.resource, mark.labels) if mark else False:
        return text
    return Mark(owner, mark.resource, mark.labels).value if mark else content


def _bare(content: str) -> str:
    return content.replace('" "', "").strip('"')
