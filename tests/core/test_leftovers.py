"""What a document of somebody else's answers, and what of it stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ResolverConfig
from tailkeeper.resolver.corefile import server_blocks
from tailkeeper.resolver.document import is_intact, kept, parse, render
from tailkeeper.resolver.leftovers import lost, told


HOSTS = ResolverConfig("dns", "hosts", "map", "dns", ("example.com",))
COREFILE = replace(HOSTS, mode="corefile", key="Corefile")
THEIRS = """example.com:53 {
    errors
    reload
    template IN A old.example.com {
        answer "{{ .Name }} 60 IN A 100.64.0.1"
    }
    hosts {
        192.168.1.5 NAS.example.com printer.example.com  # by hand
        192.168.1.6 app.example.com
        fd00::5 nas.example.com
        192.168.1.7 nas.example.org
        ttl 60
        fallthrough example.com
    }
    rewrite name exact a.example.com b.example.com
    forward . 9.9.9.9
}
.:53 {
    hosts /etc/hosts
    forward . 1.1.1.1
}
"""
OURS = {"app.example.com": ("100.64.0.2",)}
NAS, PRINTER = ("192.168.1.5", "fd00::5"), ("192.168.1.5",)


def test_what_a_take_over_drops_is_named() -> None:
    """Names by pattern, other blocks, names outside our domains; nothing that only serves."""
    assert lost(COREFILE, THEIRS, OURS) == (
        "template IN A old.example.com",
        "rewrite name exact a.example.com b.example.com",
        "nas.example.org",
        "the block .",
    )


def test_plain_entries_of_others_are_carried_over() -> None:
    """Unless the name is an exposure's; they are in no plan of ours, and stay from then on."""
    text = render(COREFILE, OURS, THEIRS)

    assert kept(COREFILE, THEIRS, OURS) == {"nas.example.com": NAS, "printer.example.com": PRINTER}
    assert parse(text) == OURS
    assert is_intact(COREFILE, text)
    more = render(COREFILE, {**OURS, "new.example.com": ("100.64.0.2",)}, text)
    assert kept(COREFILE, more) == {"nas.example.com": NAS, "printer.example.com": PRINTER}
    published = render(COREFILE, {"nas.example.com": ("100.64.0.2",)}, more)
    assert kept(COREFILE, published) == {"printer.example.com": PRINTER}


def test_a_hosts_file_of_others_is_carried_over_whole() -> None:
    """Which zones it serves is said by a Corefile that is not ours."""
    text = render(
        HOSTS, OURS, "192.168.1.7 nas.example.org\n# a note\n192.168.1.6 app.example.com\n"
    )

    assert parse(text) == OURS
    assert kept(HOSTS, text) == {"nas.example.org": ("192.168.1.7",)}
    assert lost(HOSTS, "192.168.1.7 nas.example.org\n", OURS) == ()


@pytest.mark.parametrize("take_over", [True, False])
def test_people_are_told_before(*, take_over: bool) -> None:
    """With the place, so that two resolvers are told apart."""
    resolver = replace(COREFILE, take_over=take_over)

    drops, stays = told(resolver, THEIRS, OURS)
    (deaf,) = told(resolver, "example.com {\n    forward . 1.1.1.1\n}\n", OURS)

    assert drops.startswith("a take-over of Corefile of ConfigMap dns/map drops template IN A old")
    assert stays.endswith("keeps nas.example.com; printer.example.com")
    assert ("needs a restart of" in deaf) != take_over
    assert list(told(resolver, render(resolver, OURS), OURS)) == []
    assert list(told(resolver, None, OURS)) == []


@given(st.text(alphabet='{}#. \n"/:a1hostimpr', max_size=200))
def test_any_text_is_read_without_harm(text: str) -> None:
    """A Corefile is written by people; what it says must not end the run of everything else."""
    server_blocks(text)
    lost(COREFILE, text, OURS)

    assert is_intact(COREFILE, render(COREFILE, OURS, text))
    assert is_intact(HOSTS, render(HOSTS, OURS, text))
