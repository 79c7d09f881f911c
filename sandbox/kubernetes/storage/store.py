"""The objects, a revision that every write raises, and a history of the last writes.

Stored documents are never changed in place: a write puts a new one. So readers may keep what they
got, and a list or a watch from an earlier revision can be told from the history.
"""

from __future__ import annotations

import asyncio
import bisect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.kubernetes.storage.documents import Texts


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kubernetes.kinds.resource import GroupPlural

Document = dict[str, Any]
Key = tuple[str, str]
EventType = Literal["ADDED", "MODIFIED", "DELETED"]
HISTORY = 20_000


@dataclass(frozen=True)
class Event:
    """One write; `previous` is what was there before it, `document` what is (or was) there."""

    revision: int
    type: EventType
    resource: GroupPlural
    key: Key
    document: Document
    previous: Document | None


class Forgotten(LookupError):
    """The history does not reach back to that revision."""


Subscriber = Callable[[Event], None]


@dataclass
class Store:
    """All objects by resource and (namespace, name)."""

    revision: int = 0
    closed: bool = False
    history: list[Event] = field(default_factory=list)
    _objects: dict[GroupPlural, dict[Key, Document]] = field(default_factory=dict)
    _sorted: dict[GroupPlural, list[Key]] = field(default_factory=dict)
    _texts: Texts = field(default_factory=Texts)
    _subscribers: list[Subscriber] = field(default_factory=list)
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)
    _unheard: deque[Event] = field(default_factory=deque)
    _telling: bool = False
    _forgotten: int = 0

    def get(self, resource: GroupPlural, namespace: str, name: str) -> Document | None:
        """Return an object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def all(self, resource: GroupPlural, namespace: str = "") -> list[Document]:
        """Return a resource's objects in the order of namespace and name."""
        objects, keys = self._objects.get(resource, {}), self._keys(resource)
        if namespace:
            keys = keys[bisect.bisect(keys, (namespace, "")) :]
            keys = keys[: bisect.bisect(keys, namespace, key=lambda key: key[0])]
        return [objects[key] for key in keys]

    def everything(self) -> Iterator[Document]:
        """Yield all objects."""
        for resource in sorted(self._objects):
            yield from self.all(resource)

    def at(self, resource: GroupPlural, namespace: str, revision: int) -> list[Document]:
        """Return the objects as they were at a revision; raise Forgotten if it is too old."""
        # etcd keeps old versions; here the writes since are undone, newest first
        later = [event for event in self.since(revision) if event.resource == resource]
        if not later:
            return self.all(resource, namespace)
        objects = dict(self._objects.get(resource, {}))
        for event in reversed(later):
            if event.previous is None:
                objects.pop(event.key, None)
            else:
                objects[event.key] = event.previous
        keys = sorted(key for key in objects if not namespace or key[0] == namespace)
        return [objects[key] for key in keys]

    def _keys(self, resource: GroupPlural) -> list[Key]:
        """Return a resource's keys in order, sorted once until one comes or goes."""
        if resource not in self._sorted:
            self._sorted[resource] = sorted(self._objects.get(resource, {}))
        return self._sorted[resource]

    def since(self, revision: int) -> list[Event]:
        """Return the writes after a revision; raise Forgotten if the history lacks some."""
        if revision < self._forgotten:
            raise Forgotten(revision)
        start = bisect.bisect_right(self.history, revision, key=lambda event: event.revision)
        return self.history[start:]

    def put(self, resource: GroupPlural, document: Document) -> Document:
        """Write an object under a new resourceVersion, and return it as stored."""
        self.revision += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.revision)}
        stored = {**document, "metadata": metadata}
        key = key_of(stored)
        objects = self._objects.setdefault(resource, {})
        previous = objects.get(key)
        objects[key] = stored
        kind: EventType = "MODIFIED" if previous else "ADDED"
        self._record(Event(self.revision, kind, resource, key, stored, previous))
        return stored

    def delete(self, resource: GroupPlural, key: Key) -> Document | None:
        """Remove an object, and return it as it was last; None if it was not there."""
        previous = self._objects.get(resource, {}).pop(key, None)
        if previous is None:
            return None
        self.revision += 1
        metadata = {**previous["metadata"], "resourceVersion": str(self.revision)}
        last = {**previous, "metadata": metadata}
        self._record(Event(self.revision, "DELETED", resource, key, last, previous))
        return last

    def restore(self, documents: list[tuple[GroupPlural, Document]], revision: int) -> None:
        """Hold exactly these objects, with the resourceVersions they have; tell nobody."""
        self._objects.clear()
        self._sorted.clear()
        self._texts.clear()
        self.history.clear()
        for resource, document in documents:
            self._objects.setdefault(resource, {})[key_of(document)] = document
        self.revision = self._forgotten = revision

    def text(self, document: Document) -> str:
        """Return a stored object as JSON, encoded once."""
        return self._texts.of(document)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call back with every write, in order, from now on; the result ends that."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def changed(self, after: int) -> None:
        """Wait until there is a write after this revision."""
        if self.revision > after or self.closed:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def close(self) -> None:
        """End all watches."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _record(self, event: Event) -> None:
        if event.previous is not None:
            self._texts.forget(event.previous)
        if event.type != "MODIFIED":
            self._sorted.pop(event.resource, None)
        self.history.append(event)
        # dropped by halves: dropping one at a time would copy the list at every write
        if len(self.history) > 2 * HISTORY:
            self._forgotten = self.history[HISTORY - 1].revision
            del self.history[:HISTORY]
        self._wake()
        self._tell(event)

    def _tell(self, event: Event) -> None:
        """Tell subscribers one write after the other, although they may write themselves."""
        self._unheard.append(event)
        if self._telling:
            return
        self._telling = True
        try:
            while self._unheard:
                heard = self._unheard.popleft()
                for callback in tuple(self._subscribers):
                    callback(heard)
        finally:
            self._telling = False


def key_of(document: Document) -> Key:
    """Return (namespace, name); the namespace is "" for cluster-wide objects."""
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata.get("name", "")
