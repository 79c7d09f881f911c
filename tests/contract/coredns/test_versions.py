"""What an older CoreDNS does otherwise: the pod's image decides what a Corefile means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.coredns import CoreDNS, CorefileError, Version


if TYPE_CHECKING:
    from collections.abc import Callable


HOSTS = """\
. {
    hosts {
        10.0.0.1 *.example.org
        10.0.0.2 a.example.org
        fallthrough
    }
    forward . 1.1.1.1
}
"""
REWRITTEN = """\
. {
    acl secret.org {
        block
    }
    rewrite name open.org secret.org
    forward . 1.1.1.1
}
"""
NODATA, UPSTREAMS = "NOERROR aa", "NOERROR"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("coredns/coredns:1.13.2", Version(1, 13, 2)),
        ("registry.k8s.io/coredns/coredns:v1.12.1", Version(1, 12, 1)),
        ("docker.io/coredns/coredns:1.14.5@sha256:0123", Version(1, 14, 5)),
        ("registry:5000/coredns:latest", Version()),
    ],
)
def test_an_image_tells_its_version(image: str, version: Version) -> None:
    """The tag is the version; without one it is the newest."""
    assert Version.of_image(image) == version


@pytest.mark.parametrize(
    ("version", "asked", "expected"),
    [
        (Version(1, 13, 2), "x.example.org A", "NOERROR | x.example.org. 300 IN A 203.0.113.9"),
        (Version(1, 14, 5), "x.example.org A", "NOERROR aa | x.example.org. 3600 IN A 10.0.0.1"),
        (Version(1, 13, 2), "a.example.org HTTPS", NODATA),
        (Version(1, 14, 5), "a.example.org HTTPS", UPSTREAMS),
        (Version(1, 14, 6), "a.example.org HTTPS", NODATA),
        (Version(1, 14, 5), "a.example.org AAAA", NODATA),
    ],
)
def test_hosts_changed_with_1_14_5_and_after(
    coredns: Callable[..., CoreDNS],
    ask: Callable[..., str],
    version: Version,
    asked: str,
    expected: str,
) -> None:
    """Wildcards came with 1.14.5, which also leaked other types, once (pull requests 8185-8282)."""
    server = coredns(HOSTS, version=version)
    server.start()

    assert ask(server, asked) == expected


def test_an_old_hosts_takes_the_new_option_for_an_entry(coredns: Callable[..., CoreDNS]) -> None:
    """Before it existed, `fallthrough_unsupported` is a line that means nothing, or an error."""
    before = HOSTS.replace("        fallthrough\n", "        fallthrough_unsupported\n")
    behind = HOSTS.replace("fallthrough\n", "fallthrough\n        fallthrough_unsupported\n")
    coredns(before, version=Version(1, 13, 2)).start()

    with pytest.raises(CorefileError, match="unknown property 'fallthrough_unsupported'"):
        coredns(behind, version=Version(1, 13, 2)).start()
    with pytest.raises(CorefileError, match="requires fallthrough"):
        coredns(before).start()
    coredns(behind).start()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (Version(1, 14, 1), "NOERROR | open.org. 300 IN A 203.0.113.9"),
        (Version(1, 14, 2), "REFUSED"),
    ],
)
def test_acl_saw_the_unwritten_name_before_1_14_2(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str], version: Version, expected: str
) -> None:
    """Since CVE-2026-26017 `rewrite` runs before `acl`."""
    server = coredns(REWRITTEN, version=version)
    server.start()

    assert ask(server, "open.org A") == expected
