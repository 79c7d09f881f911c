"""The cluster's API as its controllers use it, in the process of the API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Object = dict[str, Any]


class Api(Protocol):
    """Kinds are told by name; objects are copies, so that nobody changes the store by accident."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""

    def list(self, kind: str, namespace: str = "") -> Sequence[Object]:
        """Return the objects of a kind, of one namespace or all."""

    def apply(self, thing: Object, manager: str) -> None:
        """Create the object or take over the fields given, as a forced server-side apply."""

    def set_status(self, thing: Object, status: Object, manager: str) -> None:
        """Replace the status of the object; nothing happens if it is gone or says so already."""

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete the object if it is there."""

    def subscribe(self, callback: Callable[[str, Object], None]) -> None:
        """Call back with (`ADDED`, `MODIFIED` or `DELETED`, object) after every change."""


def write_status(api: Api, thing: Object, status: Object, manager: str) -> None:
    """Set a status unless the object, as it was read, has it: a look must not cost a write."""
    if thing.get("status") != status:
        api.set_status(thing, status, manager)
