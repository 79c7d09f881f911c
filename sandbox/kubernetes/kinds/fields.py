"""The shape of a kind: a tree of fields, as strict decoding and server-side apply need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal


if TYPE_CHECKING:
    from collections.abc import Mapping

FieldType = Literal[
    "string", "integer", "number", "boolean", "int-or-string", "object", "map", "list", "any"
]
ListType = Literal["atomic", "set", "map"]


class _Absent:
    """The default of a field that has none: `None` would be a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True)
class Field:
    """One field. `children` belong to an object, `item` to a list's or map's entries.

    `list_type` and `keys` are the API's `x-kubernetes-list-type` and `-map-keys`; an `atomic`
    object or map is owned and written as one; an `open` object keeps fields it does not name.
    """

    type: FieldType = "string"
    children: Mapping[str, Field] = field(default_factory=dict)
    item: Field | None = None
    list_type: ListType = "atomic"
    keys: tuple[str, ...] = ()
    atomic: bool = False
    open: bool = False
    required: bool = False
    enum: tuple[str, ...] = ()
    default: Any = ABSENT
    name: str = ""

    def child(self, name: str) -> Field | None:
        """Return what is known of an entry called `name`; None when there may be no such field."""
        if self.type == "object":
            known = self.children.get(name)
            return known if known or not self.open else ANY
        if self.type == "map":
            return self.item or ANY
        return ANY if self.type == "any" else None

    @property
    def entry(self) -> Field:
        """Return what is known of a list's items."""
        return self.item or ANY


ANY = Field("any")
