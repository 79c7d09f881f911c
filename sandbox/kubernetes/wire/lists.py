"""Lists: selected, paged, and the same from page to page whatever is written meanwhile."""

from __future__ import annotations

import base64
import bisect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import ApiError, bad_request, expired
from sandbox.kubernetes.storage.selectors import selector
from sandbox.kubernetes.storage.store import Forgotten, key_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.storage.store import Document, Key, Store

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You must "
    "start a new list without the continue parameter."
)


@dataclass(frozen=True)
class Page:
    """Part of a list, and the ListMeta that goes with it."""

    documents: list[Document]
    metadata: dict[str, Any]


def list_page(store: Store, resource: Resource, namespace: str, query: Mapping[str, str]) -> Page:
    """Return what a list request asks for; raise a 400 or 410 for a token that cannot be."""
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    matches = selector(labels, fields, resource.kind)
    revision, after = _starting_point(store, query)
    try:
        found = store.at(resource.key, namespace, revision)
    except Forgotten:
        raise expired(_TOO_OLD) from None
    waiting = found[bisect.bisect(found, after, key=key_of) if after else 0 :]
    if labels or fields:
        waiting = [document for document in waiting if matches(document)]
    limit = int(query.get("limit") or 0) or len(waiting)
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if limit < len(waiting):
        metadata["continue"] = _token(revision, waiting[limit - 1])
        if not labels and not fields:
            metadata["remainingItemCount"] = len(waiting) - limit
    return Page(waiting[:limit], metadata)


def _starting_point(store: Store, query: Mapping[str, str]) -> tuple[int, Key | None]:
    """Return the revision to list at, and the key after which to go on."""
    if query.get("continue"):
        return _read_token(query["continue"])
    asked = resource_version(query)
    if asked > store.revision:
        raise too_large(asked, store.revision)
    exact = query.get("resourceVersionMatch") == "Exact"
    return (asked if exact else store.revision), None


def resource_version(query: Mapping[str, str]) -> int:
    """Return the resourceVersion a query names (0 without); raise a 400 for what is none."""
    text = query.get("resourceVersion") or "0"
    if not text.isdigit():
        raise bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}"')
    return int(text)


def too_large(asked: int, current: int) -> ApiError:
    """Return the 504 for a resourceVersion from the future."""
    message = f"Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    details = {"causes": causes, "retryAfterSeconds": 1}
    return ApiError(504, "Timeout", f"Timeout: {message}", details)


def _token(revision: int, last: Document) -> str:
    told = {"v": "meta.k8s.io/v1", "rv": revision, "start": list(key_of(last))}
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _read_token(token: str) -> tuple[int, Key]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token))
        namespace, name = told["start"]
        return int(told["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError):
        raise bad_request(f"continue key is not valid: {token}") from None
