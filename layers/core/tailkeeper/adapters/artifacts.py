"""Payloads too large for a state travel as a pointer to an object in the artifact bucket.

A packed payload is `{"inline": document}` or `{"artifact": key}`. Step Functions refuses states
above 256 KiB; a state may carry several payloads, so each has a budget of its own. What runs hand
on lies under `passing/` and goes after 30 days; `journal/` stays as long as the journal does.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import Aws, AwsError


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUDGET = 30_000  # five observations, and what else Plan Change is given, are within a state
PAGES = "passing/pages/{}.html"
MISSING = frozenset({403, 404})  # S3 says 403 to who may not list the bucket


@dataclass
class Artifacts:
    """The bucket of the stack; objects are named by their content, so writing twice is harmless."""

    aws: Aws = field(default_factory=Aws)
    bucket: str = field(default_factory=lambda: os.environ["ARTIFACTS"])

    def pack(self, document: Any, folder: str, *, budget: int = BUDGET) -> dict[str, Any]:
        """Return the document inline when it is within `budget` bytes of JSON, else a pointer."""
        return self._stored(_json(document), f"passing/{folder}", budget)

    def pack_each(self, entries: Iterable[Any], folder: str) -> dict[str, Any]:
        """Pack a list that is made as it is packed: thousands of entries are never held at once."""
        body = BytesIO()
        for entry in entries:
            body.write(b"," if body.tell() else b"[")
            body.write(_json(entry))
        body.write(b"]" if body.tell() else b"[]")
        return self._stored(body.getvalue(), f"passing/{folder}", BUDGET)

    def keep(self, document: Any, budget: int) -> dict[str, Any]:
        """Pack what the journal holds, which outlives what runs hand on."""
        return self._stored(_json(document), "journal", budget)

    def _stored(self, body: bytes, folder: str, budget: int) -> dict[str, Any]:
        if len(body) <= budget:
            return {"inline": json.loads(body)}
        key = f"{folder}/{sha256(body).hexdigest()}.json"
        self.aws.put_object(self.bucket, key, body)
        return {"artifact": key}

    def find(self, key: str) -> Any:
        """Return the document that was stored under a key, or None."""
        try:
            return json.loads(self.aws.get_object(self.bucket, key))
        except AwsError as error:
            if error.status in MISSING:
                return None
            raise

    def store(self, key: str, document: Any) -> None:
        """Store a document under a key of its own, where `find` finds it."""
        self.aws.put_object(self.bucket, key, _json(document))

    def publish(self, name: str, page: str) -> None:
        """Store a page of HTML."""
        body = page.encode(errors="replace")
        self.aws.put_object(self.bucket, PAGES.format(name), body, "text/html; charset=utf-8")

    def shown(self, name: str, seconds: int) -> str:
        """Return a signed link to a page, whether there is one or not, good for so many seconds."""
        return self.aws.link(self.bucket, PAGES.format(name), seconds)

    def unpack(self, packed: Mapping[str, Any]) -> Any:
        """Return the document of a packed payload."""
        if "artifact" in packed:
            return json.loads(self.aws.get_object(self.bucket, packed["artifact"]))
        return packed["inline"]


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
