"""An append-only file of what is true by now: a value for each (kind, name), the last one counts.

Appended before a request is answered, by one write each: what was acknowledged survives `kill -9`.
A line that a kill cut short was never acknowledged, and is skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.files import write_atomically


if TYPE_CHECKING:
    from pathlib import Path
PATIENCE_SECONDS, LOOK_SECONDS = 10.0, 0.05


@dataclass
class Journal:
    """A folder with `journal.jsonl` and, for large values, `objects/` named by their content."""

    folder: Path
    patience: float = PATIENCE_SECONDS
    _saved: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _descriptor: int = -1
    _claimed: int = -1

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / "journal.jsonl"

    def open(self) -> None:
        """Read what the file says, and rewrite it without what is past.

        Raise TimeoutError while another sandbox has the folder; one that was killed may take a
        moment to be gone, and what it still acknowledges must not be lost.
        """
        self._claim()
        self._saved = self._read()
        lines = [
            _line(kind, name, value)
            for kind, values in self._saved.items()
            for name, value in values.items()
        ]
        write_atomically(self.path, b"".join(lines))
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)

    def saved(self, kind: str) -> dict[str, Any]:
        """Return what the file said of a kind when it was opened, by name."""
        return self._saved.get(kind, {})

    def put(self, kind: str, name: str, value: Any) -> None:
        """Note a value; None forgets it."""
        line = _line(kind, name, value)
        with self._lock:
            os.write(self._descriptor, line)

    def close(self) -> None:
        """Close the file, and let others have the folder."""
        os.close(self._descriptor)
        os.close(self._claimed)

    def keep_object(self, content: bytes) -> str:
        """Store a large value; return the name that it has by its content."""
        name = hashlib.sha256(content).hexdigest()
        path = self.folder / "objects" / name
        if not path.exists():
            write_atomically(path, content)
        return name

    def read_object(self, name: str) -> bytes:
        """Return a large value by its name."""
        return (self.folder / "objects" / name).read_bytes()

    def drop_objects(self, keep: set[str]) -> None:
        """Remove every large value but these."""
        for path in self.folder.glob("objects/*"):
            if path.name not in keep:
                path.unlink()

    def _claim(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._claimed = os.open(self.folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(self._claimed, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self._claimed)
                    raise TimeoutError(f"another sandbox uses {self.folder}") from None
                time.sleep(LOOK_SECONDS)
            else:
                return

    def _read(self) -> dict[str, dict[str, Any]]:
        saved: dict[str, dict[str, Any]] = {}
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                kind, name, value = json.loads(line)
            except ValueError:
                continue
            values = saved.setdefault(kind, {})
            values.pop(name, None)
            if value is not None:
                values[name] = value
        return saved


def _line(kind: str, name: str, value: Any) -> bytes:
    return json.dumps([kind, name, value], separators=(",", ":")).encode() + b"\n"
