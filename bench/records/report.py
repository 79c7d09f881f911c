"""The rounds, the table and the limits."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from bench.records import peer
from bench.records.cases import CASES, EVENTS
from bench.records.ours import Ours
from bench.records.peer import Peer, Spent
from bench.records.zones import TestedZone, names
from sandbox.threads import running


if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.cases import Case

COLUMNS = ("", "calls", "CPU ms", "wall ms", "changed", "wrongly\ndeleted", "ratio", "limit", "")
AWAKE = 3  # runs of the import alone
NOTHING = 0.001  # seconds: what is left of a run that cost no more than its imports
NOISE = 15  # milliseconds of octoDNS's own CPU, below which its imports decide


@dataclass
class Result:
    """What one side did in a case: the medians, and what it deleted that nobody wanted gone.

    `changed` counts the records that it created, updated and deleted.
    """

    calls: int = 0
    changed: int = 0
    wrong: int = 0
    costs: list[Spent] = field(default_factory=list)

    def median(self, part: str) -> float:
        """Return the median of the rounds, in milliseconds."""
        spent: list[float] = [getattr(cost, part) for cost in self.costs]
        return statistics.median(spent) * 1000


@dataclass(frozen=True)
class Side:
    """How a side is told what to want, gets to know the zone, and runs."""

    marks: bool
    want: Callable[..., None]
    know: Callable[[], None]
    sync: Callable[[], Spent]


def measure() -> tuple[Table, bool]:
    """Return the table, and whether ours keeps its limits beside octoDNS."""
    versions = peer.installed()
    zone = TestedZone()
    with running(zone.cloudflare):
        theirs, ours = Peer(zone.cloudflare.base_url), Ours(zone.cloudflare.base_url)
        start = statistics.median(peer.imports().cpu for _ in range(AWAKE)) * 1000
        title = "Records at one Cloudflare stand-in (medians, interleaved)"
        table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for column in COLUMNS:
            table.add_column(column, justify="right" if column else "left", no_wrap=True)
        results = {case.title: _case(zone, theirs, ours, case, start) for case in CASES}
        ours.stop()
    kept = [_rows(table, case, *results[case.title]) for case in CASES]
    events = {results[case.title][1].calls for case in EVENTS}
    table.caption = (
        f"{versions}; tuned: 5,000 records a page, no page rules, without "
        "--force: from ten records on it refuses to change over 30 %, a moved gateway's too. "
        "It reads YAML, ours JSON. A ratio is told where both changed as many records. "
        f"Imports, taken off both: octoDNS {start:.0f} ms, ours {ours.imports * 1000:.0f} ms. "
        f"One change makes {' or '.join(map(str, sorted(events)))} calls at every size."
    )
    safe = not any(result[1].wrong for result in results.values())
    return table, all(kept) and safe and len(events) == 1


def _case(
    zone: TestedZone, theirs: Peer, ours: Ours, case: Case, start: float
) -> tuple[Result, Result]:
    """Return what octoDNS and ours did, in turns."""

    def synced() -> Spent:
        spent = theirs.sync()
        return Spent(max(spent.cpu - start / 1000, NOTHING), spent.wall, spent.said)

    sides = (
        (Side(not case.bare, theirs.want, lambda: None, synced), Result()),
        (Side(True, ours.want, ours.know, lambda: ours.sync(event=case.event)), Result()),
    )
    for _ in range(case.rounds):
        for side, result in sides:
            _round(zone, side, result, case)
    return sides[0][1], sides[1][1]


def _round(zone: TestedZone, side: Side, result: Result, case: Case) -> None:
    zone.fill(names(case.held), case.others, marked=side.marks)
    side.want(case.wanted, case.target)
    side.know()
    zone.delay(case.delay_ms)
    before = zone.held
    result.costs.append(side.sync())
    result.calls, after = zone.calls, zone.held
    result.changed = sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
    result.wrong = len(before.keys() - after.keys())


def _rows(table: Table, case: Case, theirs: Result, ours: Result) -> bool:
    """Add a case's two rows; return whether its limits are kept."""
    ratio = ours.median(case.measure) / theirs.median(case.measure)
    kept = ours.calls <= case.calls and (not case.limit or ratio <= case.limit)
    told = f"{case.measure} ≤ 1/{1 / case.limit:.0f}" if case.limit else ""
    comparable = ours.changed == theirs.changed and theirs.median("cpu") > NOISE
    shown = f"1/{1 / ratio:.1f}" if comparable else "-"
    table.add_row(f"[bold]{case.title}[/]")
    table.add_row("  octoDNS", *_numbers(theirs), "", "", "")
    mark = "[green]ok[/]" if kept else "[red]over[/]"
    table.add_row("  ours", *_numbers(ours, case.calls), shown, told, mark, end_section=True)
    return kept


def _numbers(result: Result, calls: int | None = None) -> tuple[str, ...]:
    cpu, wall = result.median("cpu"), result.median("wall")
    spent = "none" if cpu <= NOTHING * 1000 else f"{cpu:,.1f}" if cpu < 1000 else f"{cpu:,.0f}"
    counted = f"{result.changed:,}", f"{result.wrong:,}"
    made = f"{result.calls:,}" + ("" if calls is None else f" ≤ {calls}")
    return made, spent, f"{wall:,.0f}", *counted
