"""CloudFormation's intrinsic functions, conditions and pseudo parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


SUBSTITUTION = re.compile(r"\$\{(!?)([^}]+)\}")
NO_VALUE = object()


class TemplateError(Exception):
    """The template says something that cannot be resolved or that the sandbox does not know."""


@dataclass(frozen=True)
class Created:
    """What a created resource answers to `Ref` and to `Fn::GetAtt`."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Resolver:
    """Turns a template's values into plain ones; `created` grows while resources are made."""

    values: Mapping[str, Any]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    created: dict[str, Created] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """Return the value with every intrinsic replaced; raise TemplateError."""
        if isinstance(value, list):
            resolved = [self.resolve(item) for item in value]
            return [item for item in resolved if item is not NO_VALUE]
        if not isinstance(value, dict):
            return _without_dynamic_reference(value)
        intrinsic = _intrinsic_of(value)
        if intrinsic:
            return self._call(intrinsic, value[intrinsic])
        pairs = ((key, self.resolve(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Return whether a named condition of the template is true."""
        if condition not in self.conditions:
            raise TemplateError(f"there is no condition {condition!r}")
        return bool(self.resolve(self.conditions[condition]))

    def _call(self, name: str, argument: Any) -> Any:
        function = FUNCTIONS.get(name)
        if not function:
            raise TemplateError(f"the sandbox does not know the intrinsic function {name}")
        return function(self, argument)

    def ref(self, name: str) -> Any:
        """Return what `Ref` gives for a parameter, pseudo parameter or created resource."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.values:
            return self.values[name]
        if name in self.created:
            return self.created[name].ref
        raise TemplateError(f"Ref: there is nothing called {name!r}")

    def attribute(self, name: str, attribute: str) -> str:
        """Return what `Fn::GetAtt` gives; raise TemplateError for an unknown attribute."""
        if name not in self.created:
            raise TemplateError(f"Fn::GetAtt: there is no resource {name!r}")
        known = self.created[name].attributes
        if attribute not in known:
            raise TemplateError(f"Fn::GetAtt: {name} has no attribute {attribute!r}: {set(known)}")
        return known[attribute]


def as_text(value: Any) -> str:
    """Return a scalar as CloudFormation writes it into text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def references(value: Any) -> Iterator[str]:
    """Yield every name that a value refers to: by Ref, Fn::GetAtt or Fn::Sub, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "Ref":
            yield item
        elif key == "Fn::GetAtt":
            yield _split_attribute(item)[0]
        elif key == "Fn::Sub":
            text, local = _sub_parts(item)
            found = (m[2].split(".")[0] for m in SUBSTITUTION.finditer(text) if not m[1])
            yield from (name for name in found if name not in local)
            yield from references(local)
        else:
            yield from references(item)


def _intrinsic_of(value: dict[str, Any]) -> str | None:
    """`Condition` is an intrinsic only within conditions; policies have a key of that name too."""
    (name, *more) = value or [""]
    is_intrinsic = name == "Ref" or name.startswith("Fn::")
    is_condition = name == "Condition" and isinstance(value.get(name), str)
    return name if not more and (is_intrinsic or is_condition) else None


def _without_dynamic_reference(value: Any) -> Any:
    if isinstance(value, str) and "{{resolve:" in value:
        raise TemplateError(f"the sandbox does not know dynamic references: {value}")
    return value


def _split_attribute(argument: Any) -> tuple[str, str]:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return name, attribute


def _sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    text, local = argument
    return text, local


def _sub(resolver: Resolver, argument: Any) -> str:
    text, raw = _sub_parts(argument)
    local = resolver.resolve(raw)

    def replacement(match: re.Match[str]) -> str:
        name = match[2]
        if match[1]:
            return f"${{{name}}}"
        if name in local:
            return as_text(local[name])
        return (
            resolver.attribute(*name.split(".", 1)) if "." in name else as_text(resolver.ref(name))
        )

    return SUBSTITUTION.sub(replacement, text)


def _find_in_map(resolver: Resolver, argument: list[Any]) -> Any:
    keys = resolver.resolve(argument)
    found: Any = resolver.mappings
    for key in keys:
        if key not in found:
            raise TemplateError(f"Fn::FindInMap: nothing at {keys}")
        found = found[key]
    return found


def _if(resolver: Resolver, argument: list[Any]) -> Any:
    condition, yes, no = argument
    return resolver.resolve(yes if resolver.holds(condition) else no)


def _equals(resolver: Resolver, argument: list[Any]) -> bool:
    left, right = resolver.resolve(argument)
    return as_text(left) == as_text(right)


def _join(resolver: Resolver, argument: list[Any]) -> str:
    separator, parts = resolver.resolve(argument)
    return str(separator).join(as_text(part) for part in parts)


def _split(resolver: Resolver, argument: list[Any]) -> list[str]:
    separator, text = resolver.resolve(argument)
    return str(text).split(separator)


def _select(resolver: Resolver, argument: list[Any]) -> Any:
    index, items = resolver.resolve(argument)
    return items[int(index)]


FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver.ref,
    "Condition": Resolver.holds,
    "Fn::GetAtt": lambda r, a: r.attribute(*_split_attribute(r.resolve(a))),
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::Not": lambda r, a: not r.resolve(a)[0],
    "Fn::And": lambda r, a: all(r.resolve(a)),
    "Fn::Or": lambda r, a: any(r.resolve(a)),
    "Fn::Base64": lambda r, a: base64.b64encode(str(r.resolve(a)).encode()).decode(),
    "Fn::ToJsonString": lambda r, a: json.dumps(r.resolve(a), separators=(",", ":")),
}
