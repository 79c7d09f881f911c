"""The resolver surface: host by host, and document by document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ResolverConfig
from tailkeeper.records.surface import Wanted
from tailkeeper.resolver.document import is_intact, parse, render
from tailkeeper.resolver.surface import applied, plan_resolver, standing


if TYPE_CHECKING:
    from tailkeeper.model import Change


PLACE = "homelab/dns/hosts"
HOSTS = ResolverConfig("dns", "hosts", "hosts", "dns", ("example.com",))
COREFILE = replace(HOSTS, mode="corefile", key="Corefile")
CLOSED = replace(COREFILE, otherwise="nxdomain")
FOREIGN = 'example.com:53 {\n    template IN A { answer "{{ .Name }} 60 IN A 100.64.0.1" }\n}\n'
V4, V6 = "100.64.0.1", "fd7a:115c:a1e0::1"
ENTRIES = st.dictionaries(
    st.sampled_from([f"{name}.example.com" for name in ("a", "b", "c", "*.wild")]),
    st.sampled_from([(V4,), (V6,), (V4, V6), ("100.64.0.2",)]),
)
MODES = st.sampled_from([HOSTS, COREFILE, CLOSED])


def wants(entries: dict[str, tuple[str, ...]], **parts: Any) -> dict[str, Wanted]:
    """Return what exposures want."""
    return {
        host: Wanted(host, targets, "httproute/apps/a", "homelab/httproute", **parts)
        for host, targets in entries.items()
    }


def changes_of(changes: list[Change]) -> dict[str, tuple[Any, Any]]:
    """Return before and after by key."""
    return {change.key: (change.before, change.after) for change in changes}


@given(MODES, ENTRIES, ENTRIES)
def test_a_plan_leads_from_any_document_to_any_other(
    resolver: ResolverConfig, old: Any, new: Any
) -> None:
    """Applied, it leaves nothing to plan; undone, it is the former text to the byte."""
    text = render(resolver, old)
    plan = plan_resolver(resolver, PLACE, text, wants(new))

    reached = applied(resolver, text, plan)

    assert parse(reached or "") == {
        host: tuple(sorted(t, key=":".__contains__)) for host, t in new.items()
    }
    assert plan_resolver(resolver, PLACE, reached, wants(new)) == []
    assert applied(resolver, reached, [change.inverse for change in plan]) == text


@given(MODES, ENTRIES, ENTRIES)
def test_each_change_says_what_its_key_holds(resolver: ResolverConfig, old: Any, new: Any) -> None:
    """Before it is applied, its `before`; then its `after`: so a second run writes nothing."""
    text = render(resolver, old)
    plan = plan_resolver(resolver, PLACE, text, wants(new))
    reached = applied(resolver, text, plan)

    before: Any = {"text": text, "writers": []}
    after: Any = {"text": reached, "writers": []}
    assert all(standing(resolver, before, change) == change.before for change in plan)
    assert all(standing(resolver, after, change) == change.after for change in plan)


@pytest.mark.parametrize("text", [None, "", FOREIGN, render(HOSTS, {}) + "# by hand\n"])
def test_a_document_that_is_not_ours_is_a_change_of_its_own(text: str | None) -> None:
    """Absent, somebody's, or ours and edited: it is written whole, and can be given back."""
    plan = plan_resolver(HOSTS, PLACE, text, wants({"a.example.com": (V4,)}))

    frame = {"mode": "hosts", "domains": ["example.com"]}
    before = None if text is None else {"text": text}
    assert changes_of(plan) == {
        "a.example.com": (None, {"addresses": [V4]}),
        "(document)": (before, frame),
    }
    reached = applied(HOSTS, text, plan) or ""
    assert is_intact(HOSTS, reached)
    if text is not None:
        assert applied(HOSTS, reached, [change.inverse for change in plan]) == text


def test_a_corefiles_frame_is_part_of_the_document() -> None:
    """Another upstream, or another answer for the rest, is a change though no host changes."""
    text = render(COREFILE, {"a.example.com": (V4,)})
    other = replace(COREFILE, upstreams=("9.9.9.9",))

    plan = plan_resolver(other, PLACE, text, wants({"a.example.com": (V4,)}))

    assert [change.key for change in plan] == ["(document)"]
    assert "9.9.9.9" in (applied(other, text, plan) or "")


@pytest.mark.parametrize(
    ("before", "after", "former", "moved"),
    [
        ((V4,), ("100.64.0.2",), {V4}, True),
        ((V4, V6), ("100.64.0.2",), {V4}, False),
        ((V4,), ("100.64.0.2",), set(), False),
    ],
)
def test_a_host_has_moved_when_all_of_it_was_the_gateways(
    before: Any, after: Any, former: set[str], *, moved: bool
) -> None:
    """An address that never was the gateway's makes it an ordinary update."""
    host = "a.example.com"
    wanted = wants({host: after}, gateway="g", former=frozenset(former))

    (change,) = plan_resolver(HOSTS, PLACE, render(HOSTS, {host: before}), wanted)

    assert (change.moved, change.gateway) == (moved, "g")


def test_a_refused_gateway_leaves_a_change_for_the_guard_to_refuse() -> None:
    """No address is wanted: that is said host by host, and is never a delete."""
    text = render(HOSTS, {"a.example.com": (V4,)})
    wanted = wants({"a.example.com": (), "new.example.com": ()}, gateway="g")

    plan = plan_resolver(HOSTS, PLACE, text, wanted)

    assert changes_of(plan) == {
        "a.example.com": ({"addresses": [V4]}, {"addresses": []}),
        "new.example.com": (None, {"addresses": []}),
    }


def test_a_host_that_nobody_wants_names_no_source() -> None:
    """A hosts file does not say who asked, so each source may have been the one."""
    (change,) = plan_resolver(HOSTS, PLACE, render(HOSTS, {"a.example.com": (V4,)}), {})

    assert (change.action, change.source) == ("Delete", "")
