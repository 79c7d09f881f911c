"""Kubernetes selectors, in both their forms, matched against labels or annotations.

The text form is what `kubectl -l` and ExternalDNS's `--annotation-filter` take:
`a=b,c!=d,e in (x,y),f notin (z),g,!h`; the object form is a LabelSelector.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = r"(?P<key>[A-Za-z0-9][-\w./]*)"
_VALUE = r"\s*[^\s,=!()]*\s*"
_MANY = rf"\((?P<many>{_VALUE}(?:,{_VALUE})*)\)"
_FORMS = tuple(
    (operator, re.compile(form))
    for operator, form in (
        ("Exists", rf"{_KEY}"),
        ("DoesNotExist", rf"!\s*{_KEY}"),
        ("NotIn", rf"{_KEY}\s*!=\s*(?P<one>[^\s,=!()]*)"),
        ("In", rf"{_KEY}\s*==?\s*(?P<one>[^\s,=!()]*)"),
        ("In", rf"{_KEY}\s+in\s*{_MANY}"),
        ("NotIn", rf"{_KEY}\s+notin\s*{_MANY}"),
    )
)
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


class SelectorError(ValueError):
    """The text or object is not a selector; the message names the part that is not."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one key; `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` meet this condition; NotIn holds where the key is absent."""
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        return (labels.get(self.key) in self.values) == (self.operator == "In")


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that must all hold; without any, everything matches."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` meet every condition."""
        return all(requirement.holds(labels) for requirement in self.requirements)


def parse_selector(text: str) -> Selector:
    """Read the text form; raise SelectorError on a part that no form fits."""
    if not text.strip():
        return Selector()
    return Selector(tuple(_requirement(p.strip()) for p in _COMMA_OUTSIDE_PARENTHESES.split(text)))


def _requirement(part: str) -> Requirement:
    for operator, form in _FORMS:
        if found := form.fullmatch(part):
            return Requirement(found["key"], operator, _values(found.groupdict()))
    raise SelectorError(f"{part!r} is not a condition such as key=value or key in (a, b)")


def _values(groups: Mapping[str, str | None]) -> frozenset[str]:
    if (many := groups.get("many")) is not None:
        return frozenset(value.strip() for value in many.split(","))
    return frozenset() if (one := groups.get("one")) is None else frozenset({one})


def label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """Read a LabelSelector object; raise SelectorError on an operator it does not have."""
    if not selector:
        return Selector()
    equal = tuple(
        Requirement(key, "In", frozenset({value}))
        for key, value in (selector.get("matchLabels") or {}).items()
    )
    return Selector(equal + tuple(map(_expression, selector.get("matchExpressions") or ())))


def _expression(expression: Mapping[str, Any]) -> Requirement:
    operator = expression.get("operator")
    if operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
        raise SelectorError(f"{operator!r} is not an operator of a label selector")
    values = frozenset(expression.get("values") or ())
    return Requirement(str(expression.get("key", "")), operator, values)
