"""S3 objects across restarts: the current version of each, with its metadata."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.aws.provision.stack import ACCOUNT
from sandbox.aws.repairs import moto_module


if TYPE_CHECKING:
    from sandbox.aws.persistence.journal import Journal

KIND = "object"


@dataclass
class ObjectKeeper:
    """Notes the objects of the stack's own buckets; uploaded packages are not among them."""

    journal: Journal
    _buckets: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def restore(self, buckets: set[str]) -> None:
        """Put the objects back into those buckets that are there, and note only theirs."""
        self._buckets = buckets & set(_s3().buckets)
        kept = set()
        for name, state in self.journal.saved(KIND).items():
            bucket, key_name = json.loads(name)
            if bucket in self._buckets:
                self._put_back(bucket, key_name, state)
                kept.add(state["content"])
            else:
                self.journal.put(KIND, name, None)
        self.journal.drop_objects(kept)

    def _put_back(self, bucket: str, key_name: str, state: dict[str, Any]) -> None:
        content = self.journal.read_object(state["content"])
        key = _s3().put_object(bucket, key_name, content, storage=state["storage"])
        key.set_metadata(dict(state["metadata"]))
        key.last_modified = datetime.fromisoformat(state["modified"])

    def note(self, bucket: str, name: str) -> None:
        """Note an object as it is now."""
        if bucket not in self._buckets:
            return
        with self._lock:
            key = _s3().buckets[bucket].keys.get(name)
            is_there = hasattr(key, "value")  # neither absent nor a delete marker
            self.journal.put(
                KIND, json.dumps([bucket, name]), self._state(key) if is_there else None
            )

    def _state(self, key: Any) -> dict[str, Any]:
        return {
            "content": self.journal.keep_object(key.value),
            "metadata": dict(key.metadata),
            "modified": key.last_modified.isoformat(),
            "storage": key.storage_class,
        }


def _s3() -> Any:
    return moto_module("s3.models").s3_backends[ACCOUNT]["aws"]
