"""Archives of commits: what is read of them, and what a pusher may not do to us with one."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import replace

import pytest

from tailkeeper.git.archive import File, Limits, UnfitError, files_of


REG, LINK, HARD, PIPE = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE
Entry = tuple[str, bytes, bytes]


def packed(*entries: Entry) -> bytes:
    """Return a gzipped tar of (name, type, content or target)."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, content in entries:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == REG:
                member.size = len(content)
            elif kind in {LINK, HARD}:
                member.linkname = content.decode()
            archive.addfile(member, io.BytesIO(content))
    return body.getvalue()


def read(body: bytes, limits: Limits | None = None, step: int = 7) -> list[File]:
    """Read an archive that comes in small pieces; everything is wanted."""
    chunks = (body[at : at + step] for at in range(0, len(body), step))
    return list(files_of(chunks, lambda _: True, limits))


def test_wanted_files_by_their_paths_in_the_repository() -> None:
    """The host's own folder is no part of a path; what is not wanted is passed over."""
    body = packed(("r-1/", tarfile.DIRTYPE, b""), ("r-1/a.yaml", REG, b"a"), ("r-1/b", REG, b"b"))

    assert list(files_of([body], lambda path: path.endswith(".yaml"))) == [File("a.yaml", b"a")]


@pytest.mark.parametrize("kind", [LINK, HARD, PIPE])
def test_links_are_told_and_not_followed(kind: bytes) -> None:
    """A link may lead anywhere, so its content is not known."""
    assert read(packed(("r/a.yaml", kind, b"../../etc/passwd"))) == [
        File("a.yaml", None, "is a link, which is not followed")
    ]


def test_a_large_file_is_told_and_not_read() -> None:
    """The others count as they are."""
    found = read(packed(("r/big", REG, b"x" * 11), ("r/small", REG, b"x")), Limits(file=10))

    assert [(file.path, file.content) for file in found] == [("big", None), ("small", b"x")]


@pytest.mark.parametrize("name", ["/etc/passwd", "r/../../etc/passwd", "../r/a"])
def test_paths_that_lead_out_are_refused(name: str) -> None:
    """Nothing is unpacked, but a host that sends such a path is not to be believed."""
    with pytest.raises(UnfitError, match="outside"):
        read(packed((name, REG, b"x")))


@pytest.mark.parametrize("lost", [1, 8, 30, 100])
def test_a_cut_archive_is_no_archive(lost: int) -> None:
    """Wherever it is cut, even within gzip's last bytes, its files do not pass for all."""
    body = packed(*((f"r/{n}", REG, bytes([n]) * 600) for n in range(50)))

    with pytest.raises(UnfitError):
        read(body[:-lost])


@pytest.mark.parametrize("body", [b"", b"<html>", gzip.compress(b"no tar at all" * 100, mtime=0)])
def test_what_is_no_archive_is_said(body: bytes) -> None:
    """An error page with status 200 is not an empty commit."""
    with pytest.raises(UnfitError):
        read(body)


ENTRIES = tuple((f"r/{n}", REG, b"x" * 100) for n in range(4))


@pytest.mark.parametrize(
    "limits",
    [
        Limits(packed=50),
        Limits(unpacked=1000),
        Limits(members=3),
        Limits(files=3),
        Limits(wanted=399),
    ],
)
def test_limits(limits: Limits) -> None:
    """Too much of anything ends the reading, and nothing of it counts."""
    assert len(read(packed(*ENTRIES), replace(Limits(), members=4, files=4, wanted=400))) == 4
    with pytest.raises(UnfitError):
        read(packed(*ENTRIES), limits)


def test_a_bomb_is_not_unpacked() -> None:
    """A gigabyte of zeros in a megabyte is refused at the limit."""
    with pytest.raises(UnfitError, match="unpacks to too much"):
        read(gzip.compress(bytes(3_000_000), 9), Limits(unpacked=1_000_000), step=500)


def test_a_long_header_is_not_read() -> None:
    """A link's target is a header, which Python would read whole, however long."""
    with pytest.raises(UnfitError, match="header"):
        read(packed(("r/a", LINK, b"x" * 100_000)))
