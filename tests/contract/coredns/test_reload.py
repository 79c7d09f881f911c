"""When a change takes effect: reload, hosts files, zone files, and what stays when it is bad."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.coredns import COREFILE, CoreDNS, CorefileError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


OLD = ". {\n reload\n hosts {\n  10.0.0.1 a.org\n }\n}\n"
NEW = OLD.replace("10.0.0.1", "10.0.0.2")
UNKNOWN = OLD.replace(" reload", " reload\n bogus")
UNCLOSED = OLD.removesuffix("}\n}\n")


@pytest.fixture
def mounted() -> dict[str, str]:
    """Return the files of a pod, which a test may swap."""
    return {COREFILE: OLD}


@pytest.fixture
def server(coredns: Callable[..., CoreDNS], mounted: dict[str, str]) -> Iterator[CoreDNS]:
    """Return a running CoreDNS over those files, whose jitter is always the longest."""
    made = coredns("", mounted=lambda: mounted, chance=lambda _, most: most)
    made.start()
    yield made
    made.stop()


def watched(server: CoreDNS, clock: Any, *steps: float | Callable[[], object]) -> list[Any]:
    """Let the server watch its files; take steps: let seconds pass, or call; return the calls'."""

    async def run() -> list[Any]:
        watching = asyncio.create_task(server.watch())
        results = []
        for step in steps:
            if callable(step):
                results.append(step())
            else:
                await clock.advance(step)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return results

    return asyncio.run(run())


def swap(mounted: dict[str, str], corefile: str) -> Callable[[], object]:
    """Return the step that changes the Corefile."""
    return lambda: mounted.update({COREFILE: corefile})


def address(server: CoreDNS) -> Callable[[], str]:
    """Return the step that says which inline entry the running configuration has."""

    def shown() -> str:
        assert server.configuration
        hosts: Any = server.configuration.refreshing[0]
        return str(hosts.held("a.org.")["A"][0])

    return shown


def test_a_changed_corefile_is_read_within_the_interval_and_its_jitter(
    server: CoreDNS, clock: Any, mounted: dict[str, str]
) -> None:
    """With 30 s and 15 s of jitter, a change is unseen for up to 45 s (plugins/reload)."""
    now = address(server)

    seen = watched(server, clock, swap(mounted, NEW), 44, now, 2, now)

    assert seen[1:] == ["10.0.0.1", "10.0.0.2"]
    assert list(server.log) == ["[INFO] Reloading", "[INFO] Reloading complete"]


def test_a_refused_corefile_leaves_the_old_one_and_is_tried_once(
    server: CoreDNS, clock: Any, mounted: dict[str, str]
) -> None:
    """The old configuration goes on; the refusal is logged once, not at every interval."""
    now = address(server)

    seen = watched(server, clock, swap(mounted, UNKNOWN), 200, now, swap(mounted, NEW), 46, now)

    assert [seen[1], seen[3]] == ["10.0.0.1", "10.0.0.2"]
    assert list(server.log) == [
        "[INFO] Reloading",
        f"[ERROR] Restart failed: {COREFILE}:3 - Error during parsing: Unknown directive 'bogus'",
        (
            "[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file"
            f" descriptors: {COREFILE}:3 - Error during parsing: Unknown directive 'bogus'"
        ),
        "[INFO] Reloading",
        "[INFO] Reloading complete",
    ]


def test_a_corefile_that_does_not_parse_is_tried_again(
    server: CoreDNS, clock: Any, mounted: dict[str, str]
) -> None:
    """A broken file is not even compared; every interval says so, until it parses."""
    now = address(server)

    watched(server, clock, swap(mounted, UNCLOSED), 100, now)

    assert len(server.log) == 2
    assert server.log[0].startswith("[WARNING] plugin/reload: Corefile parse failed: ")


def test_a_refused_corefile_is_a_crash_loop_after_a_restart(
    server: CoreDNS, mounted: dict[str, str]
) -> None:
    """What a running pod survives stops a new one: the silent defect of S1's second half."""
    mounted[COREFILE] = UNKNOWN
    states: list[str] = []

    assert server.reload_now() is False
    mounted[COREFILE] = UNCLOSED
    assert server.reload_now() is False
    states.append(server.state)
    server.stop()
    mounted[COREFILE] = UNKNOWN
    with pytest.raises(CorefileError, match="Unknown directive 'bogus'"):
        server.start()
    states.append(server.state)

    assert states == ["running", "failed"]


def test_imported_files_are_watched_too(server: CoreDNS, mounted: dict[str, str]) -> None:
    """The comparison is of the words after import, so an imported file's change counts."""
    mounted |= {COREFILE: ". {\n reload\n import more\n}\n", "/etc/coredns/more": "whoami\n"}
    assert server.reload_now() is True

    mounted["/etc/coredns/more"] = "whoami\nerrors\n"

    assert server.reload_now() is True
    assert server.reload_now() is False


def test_without_the_plugin_nothing_is_reloaded(
    server: CoreDNS, clock: Any, mounted: dict[str, str]
) -> None:
    """Once a Corefile without `reload` runs, later changes need a restart."""
    last = swap(mounted, OLD)

    watched(server, clock, swap(mounted, NEW.replace(" reload\n", "")), 50, last, 1000)

    assert address(server)() == "10.0.0.2"


def test_a_hosts_file_is_read_every_five_seconds_whatever_reload_says(
    coredns: Callable[..., CoreDNS], clock: Any
) -> None:
    """The data follows in 5 s, without a new configuration (plugins/hosts)."""
    mounted = {COREFILE: ". {\n hosts /h\n}\n", "/h": "10.0.0.1 a.org\n"}
    server = coredns("", mounted=mounted)
    server.start()
    now = address(server)
    change = lambda: mounted.update({"/h": "10.0.0.2 a.org\n"})  # noqa: E731 - one step

    seen = watched(server, clock, change, 4, now, 2, now, lambda: mounted.pop("/h"), 60, now)

    assert [seen[1], seen[2], seen[4]] == ["10.0.0.1", "10.0.0.2", "10.0.0.2"]


def test_a_hosts_file_that_is_gone_is_served_as_it_was(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """Its last content stays; one that never was is a warning."""
    mounted = {COREFILE: ". {\n hosts /h\n}\n", "/h": "10.0.0.1 a.org\n"}
    server = coredns("", mounted=mounted)
    server.start()
    assert not server.log

    del mounted["/h"]
    server.refresh_now()
    kept = ask(server, "a.org A")
    server.start()

    assert (kept, ask(server, "a.org A")) == ("NOERROR aa | a.org. 3600 IN A 10.0.0.1", "SERVFAIL")
    assert server.log[0] == "[WARNING] plugin/hosts: File does not exist: /h"


@pytest.mark.parametrize(("option", "expected"), [("reload 0", "1"), ("reload 60s", "2")])
def test_a_hosts_files_own_interval_counts(
    coredns: Callable[..., CoreDNS], clock: Any, option: str, expected: str
) -> None:
    """`reload 0` means never."""
    mounted = {COREFILE: f". {{\n hosts /h {{\n  {option}\n }}\n}}\n", "/h": "10.0.0.1 a.org\n"}
    server = coredns("", mounted=mounted)
    server.start()
    mounted["/h"] = "10.0.0.2 a.org\n"

    seen = watched(server, clock, 59, address(server), 2, address(server))

    assert seen == ["10.0.0.1", f"10.0.0.{expected}"]


@pytest.mark.parametrize(
    ("serial", "option", "changes"),
    [(1, "reload 30s", False), (2, "reload 30s", True), (1, "reload_by_mtime", True)],
)
def test_a_zone_file_is_taken_when_its_serial_changes(
    coredns: Callable[..., CoreDNS],
    ask: Callable[..., str],
    serial: int,
    option: str,
    changes: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A file with the same serial is not a new zone, unless its time counts (plugins/file)."""
    zone = "@ 60 IN SOA ns hm 1 1 1 1 60\nwww 60 IN A 10.0.0.1\n"
    mounted = {COREFILE: f"a.org {{\n file /z {{\n  {option}\n }}\n}}\n", "/z": zone}
    server = coredns("", mounted=mounted)
    server.start()

    mounted["/z"] = zone.replace("hm 1", f"hm {serial}").replace("10.0.0.1", "10.0.0.2")
    server.refresh_now()

    assert ("10.0.0.2" in ask(server, "www.a.org A")) is changes


def test_a_broken_zone_file_leaves_the_old_zone(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """A zone that was read once is served until a better one comes."""
    mounted = {COREFILE: "a.org {\n file /z\n}\n", "/z": "@ 60 IN SOA ns hm 1 1 1 1 60\n"}
    server = coredns("", mounted=mounted)
    server.start()

    mounted["/z"] = "@ 60 IN SOA\n"
    server.refresh_now()
    del mounted["/z"]
    server.refresh_now()

    assert (
        ask(server, "a.org SOA") == "NOERROR aa | a.org. 60 IN SOA ns.a.org. hm.a.org. 1 1 1 1 60"
    )


def test_a_stopped_process_answers_nothing(server: CoreDNS, ask: Callable[..., str]) -> None:
    """A pod that is down is silence, not an error answer."""
    server.stop()

    assert ask(server, "a.org A") == "dropped"
