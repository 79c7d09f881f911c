"""Reads `.fields` files: the kinds the cluster knows, in a notation of a few signs.

    kind Service v1 services namespaced svc     a kind: apiVersion, plural, scope, short names
      category all                              directives: category, also (a further version),
      also v1beta1                              column NAME JSONPATH [TYPE [PRIORITY]],
      spec:ServiceSpec!                         default FIELD JSON, scale, generation
    type ServiceSpec                            a type that kinds and other types name
      type<ClusterIP|NodePort>=ClusterIP        a field, with its allowed values and its default

A field is NAME, then how often, then of what: nothing is a string, `#` an integer, `~` a number,
`?` a boolean, `%` an int or string, `*` anything, `:Type` a type. `[]` is a list written as one,
`[a,b]` one keyed by its entries' a and b, `[=]` a set, `{}` a map. `@` is written as one, `!` is
required. A lone `...` leaves a type open: fields it does not name are kept as they are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ABSENT, ANY, Field, FieldType
from sandbox.kubernetes.kinds.resource import Column, Resource, split_api_version


if TYPE_CHECKING:
    from collections.abc import Iterable

_SCALARS: dict[str, FieldType] = {
    "": "string",
    "#": "integer",
    "~": "number",
    "?": "boolean",
    "%": "int-or-string",
    "*": "any",
}
_FIELD = re.compile(
    r"""(?P<name>[\w$]+) (?P<many>\[[\w,=]*\]|\{\})? (?P<of>[#~?%*]|:\w+)?
    (?P<enum><[^>]+>)? (?P<atomic>@)? (?P<required>!)? (?P<default>=.*)?""",
    re.VERBOSE,
)
_DIRECTIVES = frozenset({"category", "also", "column", "default", "scale", "generation"})


@dataclass
class _Block:
    """A `kind` or `type` line with the indented lines under it."""

    words: list[str]
    fields: list[str] = field(default_factory=list)
    directives: list[list[str]] = field(default_factory=list)

    def told(self, directive: str) -> list[list[str]]:
        return [words[1:] for words in self.directives if words[0] == directive]


def parse(texts: Iterable[str], *, custom: bool) -> list[Resource]:
    """Return the kinds of these files, which share their types; raise ValueError on nonsense."""
    blocks = [block for text in texts for block in _blocks(text)]
    types = _Types({b.words[1]: b for b in blocks if b.words[0] == "type"})
    return [_resource(b, types, custom=custom) for b in blocks if b.words[0] == "kind"]


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("//"):
            continue
        if not line[0].isspace():
            blocks.append(_Block(words))
        elif words[0] in _DIRECTIVES:
            blocks[-1].directives.append(words)
        else:
            blocks[-1].fields.extend(words)
    return blocks


@dataclass
class _Types:
    """Named types, built when first named; a type that contains itself is left open there."""

    blocks: dict[str, _Block]
    built: dict[str, Field] = field(default_factory=dict)

    def named(self, name: str) -> Field:
        if name not in self.built:
            if name not in self.blocks:
                raise ValueError(f"no type is called {name}")
            # a type that names itself finds this, and is open at that depth
            self.built[name] = ANY
            self.built[name] = self.object(self.blocks[name], name)
        return self.built[name]

    def object(self, block: _Block, name: str) -> Field:
        children = dict(self.field(token) for token in block.fields if token != "...")
        for told, *value in block.told("default"):
            children[told] = replace(children[told], default=json.loads(" ".join(value)))
        return Field("object", children, open="..." in block.fields, name=name)

    def field(self, token: str) -> tuple[str, Field]:
        match = _FIELD.fullmatch(token)
        if not match:
            raise ValueError(f"{token!r} is not a field")
        of, many = match["of"] or "", match["many"]
        found = self.named(of[1:]) if of.startswith(":") else Field(_SCALARS[of])
        if match["enum"]:
            found = replace(found, enum=tuple(match["enum"][1:-1].split("|")))
        if many:
            found = _many(many, found)
        return match["name"], replace(
            found,
            atomic=bool(match["atomic"]) or found.atomic,
            required=bool(match["required"]),
            default=_default(match["default"], found),
        )


def _many(many: str, item: Field) -> Field:
    if many == "{}":
        return Field("map", item=item)
    inside = many[1:-1]
    if inside == "=":
        return Field("list", item=item, list_type="set")
    if inside:
        return Field("list", item=item, list_type="map", keys=tuple(inside.split(",")))
    return Field("list", item=item)


def _default(text: str | None, of: Field) -> Any:
    if text is None:
        return ABSENT
    return text[1:] if of.type == "string" else json.loads(text[1:])


def _resource(block: _Block, types: _Types, *, custom: bool) -> Resource:
    _, kind, version_text, plural, scope, *short_names = block.words
    group, version = split_api_version(version_text)
    schema = types.object(block, kind)
    children = {"apiVersion": Field(), "kind": Field(), "metadata": types.named("ObjectMeta")}
    subresources = {"status"} & set(schema.children) | {"scale" for _ in block.told("scale")}
    return Resource(
        group,
        (version, *(v for (v,) in block.told("also"))),
        kind,
        plural,
        scope == "namespaced",
        schema=replace(schema, children={**children, **schema.children}),
        short_names=tuple(short_names),
        categories=tuple(c for (c,) in block.told("category")),
        columns=tuple(_column(words) for words in block.told("column")),
        subresources=frozenset(subresources),
        custom=custom,
        counted=custom or bool(block.told("generation")),
    )


def _column(words: list[str]) -> Column:
    name, path, kind, priority = words + ["string", "0"][len(words) - 2 :]
    return Column(name.replace("_", " "), path, kind, int(priority))
