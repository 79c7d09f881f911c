"""Which Corefiles CoreDNS takes, and with which words it refuses the others.

The cases are in vectors/: each is written from the page that it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from sandbox.coredns import CoreDNS, CorefileError, NotEmulatedError
from sandbox.coredns.chain import SETUPS


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


FILES = {
    "/zone": "@ 60 IN SOA ns.example.org. hm.example.org. 1 2 3 4 5\n",
    "/no-soa": "@ 60 IN NS ns.example.org.\n",
    "/broken": "@ 60 IN SOA here\n",
    "/no-nameservers": "search example.org\n",
}


def test_corefiles_that_coredns_takes(
    coredns: Callable[..., CoreDNS], accepted: tuple[str, str]
) -> None:
    """What the pages show, or allow, starts."""
    server = coredns(accepted[1], FILES)

    server.start()

    assert server.state == "running"


def test_corefiles_that_coredns_refuses(
    coredns: Callable[..., CoreDNS], refused: tuple[str, str, str]
) -> None:
    """A refusal names the plugin, or the file and line, and says what CoreDNS says."""
    page, corefile, message = refused
    server = coredns(corefile, FILES)

    with pytest.raises(CorefileError) as caught:
        server.start()

    text = str(caught.value)
    assert message in text
    assert text.startswith(f"plugin/{page}: ") == (page in SETUPS)
    assert (server.state, server.log[-1]) == ("failed", text)


def test_without_a_corefile_nothing_starts(coredns: Callable[..., CoreDNS]) -> None:
    """A ConfigMap that lost its Corefile key is an error, not CoreDNS's built-in default."""
    with pytest.raises(CorefileError, match="open /etc/coredns/Corefile: no such file"):
        coredns("", mounted={}).start()


def test_imported_files_lend_their_words_and_their_name(coredns: Callable[..., CoreDNS]) -> None:
    """A glob imports in order, relative to the Corefile, and errors name the imported file."""
    corefile = ". {\n import conf.d/*.conf\n}\n"
    files = {"/etc/coredns/conf.d/a.conf": "errors\n", "/etc/coredns/conf.d/b.conf": "\nbad\n"}

    with pytest.raises(CorefileError, match=r"^/etc/coredns/conf.d/b.conf:2 - .*'bad'$"):
        coredns(corefile, files).start()
    coredns(". {\n import empty/*\n}\n").start()


def test_a_file_that_imports_itself_is_refused(coredns: Callable[..., CoreDNS]) -> None:
    """Imports end at a depth of 1,000."""
    with pytest.raises(CorefileError, match="depth \\(1000\\) exceeded"):
        coredns("import again\n", {"/etc/coredns/again": "import again\n"}).start()


def test_a_file_imported_in_a_block_becomes_its_lines(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """Import works inside a plugin's block too (import(7): as if it appeared there)."""
    server = coredns(
        "example.org {\n hosts {\n  import entries\n  fallthrough\n }\n}\n",
        {"/etc/coredns/entries": "10.0.0.1 a.example.org\n10.0.0.2 b.example.org\n"},
    )
    server.start()

    assert ask(server, "b.example.org A") == "NOERROR aa | b.example.org. 3600 IN A 10.0.0.2"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({"IP": "10.0.0.9"}, "NOERROR aa | a.org. 3600 IN A 10.0.0.9"), ({}, "SERVFAIL")],
)
@pytest.mark.parametrize("reference", ["{$IP}", "{%IP%}"])
def test_environment_variables_are_put_in(
    coredns: Callable[..., CoreDNS],
    ask: Callable[..., str],
    reference: str,
    environment: dict[str, str],
    expected: str,
) -> None:
    """`{$NAME}` and `{%NAME%}` become their values, or nothing (corefile(5))."""
    corefile = f". {{\n hosts {{\n  {reference} a.org\n }}\n}}\n"
    server = coredns(corefile, environment=environment)
    server.start()

    assert ask(server, "a.org A") == expected


def test_a_template_variable_is_taken_for_the_environment(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """`{{$x}}` in an answer is an environment variable, as the template page warns."""
    server = coredns('. {\n template IN A {\n  answer "{{$x}}a. 5 IN A 1.2.3.4"\n }\n}\n')
    server.start()

    assert ask(server, "a.org A") == "NOERROR aa | {}a. 5 IN A 1.2.3.4"


@pytest.mark.parametrize(
    "line",
    [
        "etcd",
        "autopath @kubernetes",
        "rewrite edns0 nsid set",
        "loadbalance weighted /file",
        "template IN A {\n  expr true\n }",
        'template IN A {\n  answer "{{ if .Name }}x{{ end }}"\n }',
        "view x {\n  expr bits() > 3\n }",
        "kubernetes cluster.local {\n  noendpoints\n }",
        "forward . 1.1.1.1 {\n  resolver 1.1.1.1\n }",
    ],
)
def test_what_is_not_emulated_is_said(coredns: Callable[..., CoreDNS], line: str) -> None:
    """What CoreDNS has and this stand-in has not stops the start, with a word of its own."""
    with pytest.raises(NotEmulatedError, match="does not emulate"):
        coredns(f". {{\n {line}\n}}\n").start()


@pytest.mark.parametrize("folder", ["tailscale-dns", "coredns"])
def test_a_real_clusters_corefiles_start(
    coredns: Callable[..., CoreDNS], user_repository: Path, folder: str
) -> None:
    """Corefiles that run in somebody's cluster are taken as they are."""
    path = user_repository / "infrastructure" / folder / "configmap.yaml"
    corefile = yaml.safe_load(path.read_text())["data"]["Corefile"]
    server = coredns(corefile, {"/etc/resolv.conf": "nameserver 10.0.0.1\n"})

    server.start()

    assert server.state == "running"
