"""The files of a commit, from the archive that a git host packs: a gzipped tar, read as it comes.

Nothing is unpacked to a disk. What a pusher decides is bounded: sizes, numbers, names, headers.
"""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple, Self, cast


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MIB = 1024 * 1024
CHUNK = 64 * 1024
GZIP = 31  # zlib's window bits for a gzip stream
LONGEST_HEADER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of the archive packed and unpacked, of one file and of all that are wanted; counts."""

    packed: int = 64 * MIB
    unpacked: int = 512 * MIB
    members: int = 100_000
    file: int = MIB
    files: int = 20_000
    wanted: int = 64 * MIB


class UnfitError(Exception):
    """The archive is broken, or larger than is read; nothing of it counts."""


class File(NamedTuple):
    """A wanted file by its path in the repository; `why` says why `content` is None."""

    path: str
    content: bytes | None
    why: str = ""


def files_of(
    chunks: Iterable[bytes], wants: Callable[[str], bool], limits: Limits | None = None
) -> Iterator[File]:
    """Yield the wanted files of a packed archive; raise UnfitError, at its last byte at the latest.

    The first folder, which the host adds, is not part of a path. Links are not followed.
    """
    bounds = limits or Limits()
    stream = _Unpacked(chunks, bounds)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", tarinfo=_Member) as archive:
            yield from _wanted(archive, wants, bounds)
        stream.drain()
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise UnfitError(f"the archive cannot be read: {type(error).__name__}") from error


def _wanted(
    archive: tarfile.TarFile, wants: Callable[[str], bool], limits: Limits
) -> Iterator[File]:
    count = size = 0
    for number, member in enumerate(archive):
        archive.members.clear()  # type: ignore[attr-defined]  # else every header is kept
        _check(number < limits.members, f"the archive holds more than {limits.members} entries")
        path = _path(member.name)
        if member.isdir() or not path or not wants(path):
            continue
        file = _read(archive, member, path, limits)
        count, size = count + 1, size + len(file.content or b"")
        _check(count <= limits.files, f"more than {limits.files} files are wanted of the archive")
        _check(size <= limits.wanted, f"the wanted files hold more than {limits.wanted} bytes")
        yield file


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, limits: Limits) -> File:
    if not member.isreg() or member.issparse():
        return File(path, None, "is a link, which is not followed")
    if member.size > limits.file:
        return File(path, None, f"is larger than {limits.file} bytes")
    opened = archive.extractfile(member)
    return File(path, opened.read() if opened else b"")


def _path(name: str) -> str:
    parts = name.split("/")
    _check(not name.startswith("/") and ".." not in parts, "the archive names files outside of it")
    inside = "/".join(parts[1:])
    return inside.encode(errors="replace").decode()


def _check(holds: bool, what: str) -> None:  # noqa: FBT001 - as an assertion reads
    if not holds:
        raise UnfitError(what)


class _Member(tarfile.TarInfo):
    """A header that must not be long: a link's target, which a pusher writes, may be megabytes."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> Self:
        if not self.isfile() and not self.isdir() and self.size > LONGEST_HEADER:
            raise UnfitError(f"a header of the archive is longer than {LONGEST_HEADER} bytes")
        found: Self = super()._proc_member(tarfile_)  # type: ignore[misc]  # undocumented, stable
        return found


class _Unpacked:
    """A stream of the bytes that a gzip stream holds; no more of them at once than asked for."""

    def __init__(self, chunks: Iterable[bytes], limits: Limits) -> None:
        self._chunks, self._limits = iter(chunks), limits
        self._gzip = zlib.decompressobj(GZIP)
        self._packed = self._size = 0
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end; raise UnfitError beyond the limits."""
        found = bytearray()
        while len(found) < size and not self._gzip.eof:
            packed = self._rest or self._next()
            found += self._gzip.decompress(packed, size - len(found))
            self._rest = self._gzip.unconsumed_tail
        self._size += len(found)
        _check(self._size <= self._limits.unpacked, "the archive unpacks to too much")
        return bytes(found)

    def drain(self) -> None:
        """Read on to the end, so that a cut stream is not taken for a whole one."""
        while self.read(CHUNK):
            pass

    def _next(self) -> bytes:
        chunk = next((chunk for chunk in self._chunks if chunk), None)
        if chunk is None:
            raise EOFError("the gzip stream ends early")
        self._packed += len(chunk)
        _check(self._packed <= self._limits.packed, "the archive is too large")
        return chunk
