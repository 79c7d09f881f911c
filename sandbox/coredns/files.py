"""The files that a CoreDNS container sees."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


Mounted = Mapping[str, str] | Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Files:
    """Paths to texts: a mapping, or what gives one when the mounts may have changed."""

    mounted: Mounted

    def current(self) -> Mapping[str, str]:
        """Return the files as they are now."""
        return self.mounted() if callable(self.mounted) else self.mounted

    def text(self, path: str) -> str | None:
        """Return a file's text, or None if there is no such file."""
        return self.current().get(posixpath.normpath(path))

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that match a pattern whose last part may hold a wildcard, sorted."""
        folder, name = posixpath.split(posixpath.normpath(pattern))
        return sorted(
            path
            for path in self.current()
            if posixpath.dirname(path) == folder and fnmatchcase(posixpath.basename(path), name)
        )


def joined(folder: str, path: str) -> str:
    """Return `path` as seen from `folder`."""
    return posixpath.normpath(posixpath.join(folder, path))
