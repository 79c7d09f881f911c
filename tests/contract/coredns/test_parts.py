"""The small parts under the plugins: words, durations, zones, expressions, templates, the log."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.coredns import CoreDNS, CorefileError, regex
from sandbox.coredns.durations import seconds
from sandbox.coredns.gotemplate import TemplateError, compiled
from sandbox.coredns.tokens import tokenize
from sandbox.coredns.zones import matching, reverse_zones, within


if TYPE_CHECKING:
    from collections.abc import Callable


WORDS = st.lists(st.text(st.sampled_from('ab{};\\" #\n\t'), max_size=6), max_size=6)
NETWORKS = st.ip_addresses(v=4).flatmap(
    lambda ip: st.integers(4, 32).map(lambda bits: ip_network(f"{ip}/{bits}", strict=False))
)


@given(WORDS)
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    """What is quoted, with its quotes escaped, is one word, whatever is in it."""
    words = [word for word in words if "\\" not in word]
    text = " ".join('"' + word.replace('"', '\\"') + '"' for word in words)

    assert [token.text for token in tokenize(text, "Corefile")] == words


@given(st.text(st.sampled_from('ab{}" #\n\\'), max_size=40))
def test_any_text_has_words_on_lines_that_exist(text: str) -> None:
    """The lexer takes everything, and never points outside the file."""
    tokens = list(tokenize(text, "Corefile"))

    assert all(1 <= token.line <= text.count("\n") + 1 for token in tokens)
    assert [token.line for token in tokens] == sorted(token.line for token in tokens)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", 30),
        ("1h15m30.5s", 4530.5),
        ("300ms", 0.3),
        ("-1.5h", -5400),
        (".5s", 0.5),
        ("0", 0),
        ("+2m", 120),
        ("1us", 1e-6),
    ],
)
def test_durations_as_go_reads_them(text: str, expected: float) -> None:
    """Numbers with units, in any number; only 0 goes without."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "5", "1d", "s", "1 s", "1h-5m", "one"])
def test_durations_that_go_refuses(text: str) -> None:
    """A number without a unit is not a duration."""
    with pytest.raises(ValueError, match="invalid duration"):
        seconds(text)


@given(NETWORKS, st.data())
def test_every_address_of_a_prefix_is_in_one_of_its_reverse_zones(
    network: Any, data: st.DataObject
) -> None:
    """A prefix on any boundary becomes the zones of the next octet, which hold all of it."""
    last = int(network.broadcast_address)
    address = ip_address(data.draw(st.integers(int(network.network_address), last)))

    zones = reverse_zones(str(network))

    assert matching(zones, f"{address.reverse_pointer}.") is not None
    assert len(zones) == 2 ** (-network.prefixlen % 8)


@pytest.mark.parametrize(
    ("name", "zone", "expected"),
    [
        ("a.org.", "org.", True),
        ("org.", "org.", True),
        ("borg.", "org.", False),
        ("a.org.", ".", True),
    ],
)
def test_a_zone_holds_whole_labels(name: str, zone: str, expected: bool) -> None:  # noqa: FBT001 - a column
    """A name is in a zone by its labels, not by its letters."""
    assert within(name, zone) is expected


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "(?>a)", "a++", "("])
def test_what_re2_does_not_have_is_refused(pattern: str) -> None:
    """Look-around, back references and possessive quantifiers are Perl's, not Go's."""
    with pytest.raises(re.error):
        regex.compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^(?P<a>\d+)[.](?<b>[[:alpha:]]+)\z", "12.ab", ("12", "ab")),
        (r"\w+", "ä", None),
        (r"a\\1", "a\\1", ()),
    ],
)
def test_go_expressions_match_as_in_go(
    pattern: str, text: str, found: tuple[str, ...] | None
) -> None:
    r"""Named groups in both spellings, POSIX classes, `\\z`; letters are ASCII letters."""
    match = regex.compiled(pattern).search(text)

    assert (match and match.groups()) == found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a {{ .Name }} b", "a x. b"),
        ("a  {{- .Name -}}  b", "ax.b"),
        ('{{ index .Group "b" }}{{ index .Match 0 }}', "yx."),
        ("{{ .Group.none }}", "<no value>"),
        ("{{ parseInt .Group.hex 16 8 }}", "255"),
        ("{{/* nothing */}}{{ `raw` }}{{ 7 }}", "raw7"),
    ],
)
def test_templates_render(source: str, expected: str) -> None:
    """Fields, index, parseInt, literals, comments and trim marks are Go's."""
    data = {"Name": "x.", "Match": ["x."], "Group": {"b": "y", "hex": "ff"}}

    assert compiled(source).render(data) == expected


@pytest.mark.parametrize(
    "source",
    ["{{ .Nmae }}", "{{ index .Match 1 }}", "{{ parseInt .Name 16 8 }}", "{{ .Name.More }}"],
)
def test_templates_that_fail_when_a_query_comes(source: str) -> None:
    """A field or index that is not there stops the execution, not the reading."""
    template = compiled(source)

    with pytest.raises(TemplateError):
        template.render({"Name": "x.", "Match": ["x."]})


@pytest.mark.parametrize("source", ["{{", "{{ .Name", "{{ }}", "{{ nope .Name }}", "{{ nope }}"])
def test_templates_that_do_not_compile(source: str) -> None:
    """What is unclosed, empty or unknown is an error of the Corefile."""
    with pytest.raises(CorefileError):
        compiled(source)


def test_errors_and_queries_are_logged(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str], upstream: Any
) -> None:
    """`errors` says why, `log` says what was asked."""
    server, upstream.dead = coredns(". {\n errors\n log\n forward . 1.1.1.1\n}\n"), {"1.1.1.1"}
    server.start()

    ask(server, "a.org A")

    assert server.log[0].endswith('"A IN a.org. udp" SERVFAIL')
    assert server.log[1] == "[ERROR] plugin/errors: 2 a.org. A: 1.1.1.1 is silent"
