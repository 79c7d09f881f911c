"""Watches: the writes after a resourceVersion, as they happen, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.kubernetes.errors import ApiError, Cause, expired
from sandbox.kubernetes.storage.selectors import selector
from sandbox.kubernetes.storage.store import Forgotten
from sandbox.kubernetes.wire.lists import resource_version, too_large


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.kubernetes.storage.selectors import Matches
    from sandbox.kubernetes.storage.store import Document, Event, Store
    from sandbox.kubernetes.wire.answers import Answerer

BOOKMARK_EVERY = 60.0
# aiohttp does not cancel a handler whose client has gone: a quiet watch looks by itself
_LOOK_EVERY = 5.0
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass
class Watch:
    """One client's watch; it ends with the client, at its time-out, or when history runs out."""

    store: Store
    answerer: Answerer
    matches: Matches
    namespace: str
    query: Mapping[str, str]

    @classmethod
    def asked(cls, store: Store, answerer: Answerer, query: Mapping[str, str]) -> Watch:
        """Return the watch that a query asks for; raise ApiError when it cannot be."""
        _check(query)
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        target = answerer.target
        matches = selector(labels, fields, target.resource.kind)
        named = _named(matches, target.name)
        return cls(store, answerer, named, target.namespace, query)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send events until the watch ends."""
        asked = resource_version(self.query)
        if asked > self.store.revision:
            raise too_large(asked, self.store.revision)
        # both before the first await, or a write in between would be told twice or never
        start, there_already = self._start(asked), list(self._initial(asked))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            await self._send(response, there_already)
            await self._follow(response, request, start)
        except Forgotten:
            status = expired(f"too old resource version: {asked} ({self.store.revision})")
            await self._send(response, [_line("ERROR", json.dumps(status.as_status()))])
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        return response

    def _start(self, asked: int) -> int:
        return asked if asked and not self._sends_initial else self.store.revision

    @property
    def _sends_initial(self) -> bool:
        return self.query.get("sendInitialEvents") == "true"

    @property
    def _bookmarks(self) -> bool:
        return self.query.get("allowWatchBookmarks") == "true" or self._sends_initial

    def _initial(self, asked: int) -> Iterator[bytes]:
        """Yield what is there already: with sendInitialEvents, or when no version was named."""
        if asked and not self._sends_initial:
            return
        for document in self.store.all(self.answerer.target.resource.key, self.namespace):
            if self.matches(document):
                yield _line("ADDED", self.answerer.one(document))
        if self._sends_initial:
            yield self._bookmark(self.store.revision, {_INITIAL_EVENTS_END: "true"})

    async def _follow(
        self, response: web.StreamResponse, request: web.Request, revision: int
    ) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + float(self.query.get("timeoutSeconds") or 3600)
        bookmark_at = clock() + BOOKMARK_EVERY
        while clock() < ends and not self.store.closed and _is_open(request):
            await self._send(response, self._news(self.store.since(revision)))
            revision = self.store.revision
            if self._bookmarks and clock() >= bookmark_at:
                await response.write(self._bookmark(revision, {}))
                bookmark_at = clock() + BOOKMARK_EVERY
            await self._wait(revision, min(_LOOK_EVERY, ends - clock()))

    async def _wait(self, revision: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self.store.changed(revision)
        except TimeoutError:
            return

    @staticmethod
    async def _send(response: web.StreamResponse, lines: Iterable[bytes]) -> None:
        text = b"".join(lines)
        if text:
            await response.write(text)

    def _news(self, events: list[Event]) -> Iterator[bytes]:
        for event in events:
            if event.resource == self.answerer.target.resource.key and self._is_here(event):
                kind = self._seen_as(event)
                if kind:
                    yield _line(kind, self.answerer.one(event.document))

    def _is_here(self, event: Event) -> bool:
        return not self.namespace or event.key[0] == self.namespace

    def _seen_as(self, event: Event) -> str:
        """Return the event as this watch's selectors see it: leaving them is being deleted."""
        before = event.previous is not None and self.matches(event.previous)
        after = event.type != "DELETED" and self.matches(event.document)
        if before and after:
            return "MODIFIED"
        return "ADDED" if after else "DELETED" if before else ""

    def _bookmark(self, revision: int, annotations: dict[str, str]) -> bytes:
        target = self.answerer.target
        metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        named: Document = {"kind": target.resource.kind, "apiVersion": target.api_version}
        if self.answerer.form == "table":
            named = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": None}
            carried = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            named["rows"] = [{"cells": [], "object": {**carried, "metadata": metadata}}]
        return _line("BOOKMARK", json.dumps({**named, "metadata": metadata}))


def _line(kind: str, text: str) -> bytes:
    return f'{{"type":"{kind}","object":{text}}}\n'.encode()


def _is_open(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _named(matches: Matches, name: str) -> Matches:
    if not name:
        return matches
    return lambda document: document["metadata"]["name"] == name and matches(document)


def _check(query: Mapping[str, str]) -> None:
    if query.get("sendInitialEvents") and query.get("resourceVersionMatch") != "NotOlderThan":
        detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        cause = Cause.forbidden("resourceVersionMatch", detail)
        message = f'ListOptions.meta.k8s.io "" is invalid: {cause.field}: {cause.message}'
        raise ApiError(422, "Invalid", message, {"causes": [cause.as_json()]})
