"""Strategic merge patch: lists of core kinds are merged by key, and a patch may say how.

Directives understood: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/LIST`,
`$deleteFromPrimitiveList/LIST`. A list's merge key is the first key of its entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ANY


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.fields import Field

_ORDER = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"


def strategic_patch(schema: Field, target: dict[str, Any], patch: dict[str, Any]) -> Any:
    """Return the target with the patch laid over it, as this kind's fields say."""
    how = patch.get("$patch", "merge")
    told = {k: v for k, v in patch.items() if not k.startswith("$")}
    if how == "replace":
        return told
    if how == "delete":
        return {}
    result = _retained(dict(target), patch.get("$retainKeys"))
    for name, value in told.items():
        merged = _merged(schema.child(name) or ANY, result.get(name), value)
        if merged is None:
            result.pop(name, None)
        else:
            result[name] = merged
    return _with_list_directives(schema, result, patch)


def _retained(target: dict[str, Any], keys: list[str] | None) -> dict[str, Any]:
    return target if keys is None else {k: v for k, v in target.items() if k in keys}


def _merged(schema: Field, live: Any, patch: Any) -> Any:
    if isinstance(patch, dict):
        return strategic_patch(schema, live if isinstance(live, dict) else {}, patch)
    if not isinstance(patch, list) or not isinstance(live, list):
        return _entries_only(patch) if isinstance(patch, list) else patch
    if schema.list_type == "set":
        return live + [entry for entry in patch if entry not in live]
    if schema.list_type == "map":
        return _merge_entries(schema, live, patch)
    return patch


def _entries_only(patch: list[Any]) -> list[Any]:
    """Drop the entries that only tell how to merge."""
    return [entry for entry in patch if not (isinstance(entry, dict) and "$patch" in entry)]


def _merge_entries(schema: Field, live: list[Any], patch: list[Any]) -> list[Any]:
    if not all(isinstance(entry, dict) for entry in (*live, *patch)):
        return patch
    if any(entry.get("$patch") == "replace" for entry in patch):
        return _entries_only(patch)
    # apply knows several keys to an entry, strategic merge only the first
    key = schema.keys[0]
    result = list(live)
    for entry in patch:
        at = next((i for i, known in enumerate(result) if known.get(key) == entry.get(key)), None)
        if entry.get("$patch") == "delete":
            result = [known for known in result if known.get(key) != entry.get(key)]
        elif at is None:
            result.append(strategic_patch(schema.entry, {}, entry))
        else:
            result[at] = strategic_patch(schema.entry, result[at], entry)
    return result


def _with_list_directives(
    schema: Field, result: dict[str, Any], patch: dict[str, Any]
) -> dict[str, Any]:
    for directive, value in patch.items():
        name = directive.partition("/")[2]
        if directive.startswith(_DELETE_FROM) and name in result:
            result[name] = [entry for entry in result[name] if entry not in value]
        elif directive.startswith(_ORDER) and isinstance(result.get(name), list):
            result[name] = _ordered(schema.child(name) or ANY, result[name], value)
    return result


def _ordered(schema: Field, entries: list[Any], order: list[Any]) -> list[Any]:
    """Put the named entries in this order; others keep their place before the next named one."""
    if schema.list_type == "map":
        key = schema.keys[0]
        places = {entry.get(key): place for place, entry in enumerate(order)}
        rank = [places.get(entry.get(key)) for entry in entries]
    else:
        rank = [order.index(entry) if entry in order else None for entry in entries]
    named = iter(
        sorted(
            (place for place, r in enumerate(rank) if r is not None),
            key=lambda place: rank[place] or 0,
        )
    )
    return [
        entry if r is None else entries[next(named)] for entry, r in zip(entries, rank, strict=True)
    ]
