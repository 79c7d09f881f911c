"""Ownership marks by hand: their names and their values, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.config import ConfigError, Problem
from tailkeeper.config.reading import Section
from tailkeeper.ownership import MARKED_TYPES, Mark, MarkNames, is_encrypted


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AFFIXES = ("prefix", "suffix", "wildcard")


def mark_cases(document: Any) -> Any:
    """Answer one case, or a list of them; raise ConfigError with everything that is wrong."""
    problems: list[Problem] = []
    if isinstance(document, list):
        answer = [mark_case(Section(c, (place,), problems)) for place, c in enumerate(document)]
    else:
        answer = mark_case(Section(document, (), problems))
    if problems:
        raise ConfigError(problems)
    return answer


def mark_case(section: Section) -> Any:
    """Answer a case by what it holds: `host`, `mark`, `value` or `owner`."""
    affixes = [section.text(affix, "") for affix in AFFIXES]
    if affixes[0] and affixes[1]:
        section.blame(("suffix",), "stands beside prefix", "keep one of the two")
        affixes[1] = ""
    form = next((form for form in FORMS if section.holds(form)), "")
    if not form:
        section.blame((), "asks nothing", f"give one of {', '.join(FORMS)}")
        return None
    answer = FORMS[form](section, MarkNames(*affixes))
    section.finish()
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
        return {"owner": mark.owner, "resource": mark.resource, "labels": dict(mark.labels)}
    return {"encrypted": True} if is_encrypted(content) else None


def _written(section: Section, _: MarkNames) -> dict[str, str]:
    owner, resource = section.text("owner", like="homelab"), section.text("resource", "")
    return {"value": Mark(owner, resource).value}


FORMS: Mapping[str, Callable[[Section, MarkNames], Any]] = {
    "host": _named,
    "mark": _covered,
    "value": _read,
    "owner": _written,
}
