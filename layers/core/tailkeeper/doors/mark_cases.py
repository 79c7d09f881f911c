"""Ownership marks by hand: names and values, both ways, and what they say of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.config import ConfigError, Problem
from tailkeeper.config.reading import Section
from tailkeeper.ownership import MARKED_TYPES, Mark, MarkNames, is_encrypted
from tailkeeper.records.held import sorted_out


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailkeeper.records.held import Text

AFFIXES = ("prefix", "suffix", "wildcard")


def mark_case(document: Any) -> Any:
    """Answer a case by what it holds: `records`, `host`, `mark`, `value` or `owner`.

    Raise ConfigError with everything that is wrong with it.
    """
    problems: list[Problem] = []
    section = Section(document, (), problems)
    affixes = [section.text(affix, "") for affix in AFFIXES]
    if affixes[0] and affixes[1]:
        section.blame(("suffix",), "stands beside prefix", "keep one of the two")
        affixes[1] = ""
    form = next((form for form in FORMS if section.holds(form)), "")
    if form:
        answer = FORMS[form](section, MarkNames(*affixes))
        section.finish()
    else:
        section.blame((), "asks nothing", f"give one of {', '.join(FORMS)}")
    if problems:
        raise ConfigError(problems)
    return answer


def _named(section: Section, names: MarkNames) -> dict[str, Any]:
    """Return the name of a record's mark, and all that may be its mark's."""
    host, kind = section.text("host", like="app.example.com"), section.choice("type", MARKED_TYPES)
    return {"mark": names.name(host, kind), "candidates": list(names.candidates(host, kind))}


def _covered(section: Section, names: MarkNames) -> dict[str, str] | None:
    covered = names.covered(section.text("mark", like="cname-app.example.com"))
    return {"host": covered[0], "type": covered[1]} if covered else None


def _read(section: Section, _: MarkNames) -> dict[str, Any] | None:
    content = section.text("value", like='"heritage=external-dns,…"')
    if mark := Mark.parse(content):
        return _said(mark)
    return {"encrypted": True} if is_encrypted(content) else None


def _said(mark: Mark) -> dict[str, Any]:
    return {"owner": mark.owner, "resource": mark.resource, "labels": dict(mark.labels)}


def _written(section: Section, _: MarkNames) -> dict[str, str]:
    owner, resource = section.text("owner", like="homelab"), section.text("resource", "")
    return {"value": Mark(owner, resource).value}


def _owned(section: Section, names: MarkNames) -> list[dict[str, Any]]:
    """Return each record that is no mark, with what its marks say."""
    records = [
        {
            "name": record.text("name", like="app.example.com"),
            "type": record.text("type", like="CNAME"),
            "content": record.text("content", ""),
        }
        for record in section.sections("records")
    ]
    texts, rest = sorted_out(names, records)
    return [{**record, **_owner(names, texts, record)} for record in rest]


def _owner(
    names: MarkNames, texts: Mapping[str, list[Text]], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the marks of a record say; nothing where there are none, or two owners."""
    host, kind = record["name"].lower(), record["type"]
    # Of other types there is no newer format: `txt-app` is the older mark of a name `txt-app`.
    candidates = names.candidates(host, kind)[0 if kind in MARKED_TYPES else 1 :]
    marks = [mark for mark, _ in next((texts[name] for name in candidates if name in texts), ())]
    if marks and None in marks:
        return {"encrypted": True}
    owners = {mark.owner for mark in marks if mark}
    agreed = marks[0] if len(owners) == 1 else None
    return _said(agreed or Mark(""))


FORMS: Mapping[str, Callable[[Section, MarkNames], Any]] = {
    "records": _owned,
    "host": _named,
    "mark": _covered,
    "value": _read,
    "owner": _written,
}
