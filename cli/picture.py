"""A run as a picture: the states it went through, its turns back, and when each was at work.

The left part is the state machine as it was walked, the right one the time axis. Colours are the
page's own CSS variables, so the picture follows its light or dark theme.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cli.screen import seconds


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.history import History, Visit

WIDTH, ROW, BOX, INDENT = 960, 30, 22, 18
LEFT, NAMES, AXIS = 44, 300, 400  # where boxes, the end of boxes, and the axis begin
STEPS, LINES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 1e9), 10
TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)
HIDDEN = frozenset({"Pass", "Choice"})  # inside a Parallel or Map these are only its seams


@dataclass
class Row:
    """One state with all its visits; `depth` says inside how many others it is."""

    name: str
    kind: str
    depth: int
    visits: list[Visit] = field(default_factory=list)

    @property
    def style(self) -> str:
        """Return the CSS class of the row."""
        return "bad" if self.kind == "Fail" or self.visits[-1].failed else self.kind.lower()


def picture(history: History, definition: Mapping[str, Any]) -> str:
    """Return the SVG of a run that is over; `definition` is the machine's ASL."""
    rows = rows_of(history)
    height = ROW * (len(rows) + 3)
    entered = {visit.name for visit in history.visits}
    others = ", ".join(name for name in definition["States"] if name not in entered)
    foot = f'<text x="{LEFT}" y="{height - BOX}" class="quiet">not entered: {escape(others)}</text>'
    drawn = [line for place, row in enumerate(rows) for line in _row(history, place, row)]
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="The run" class="run">'
    axis = list(_axis(history, len(rows)))
    return "\n".join([head, TIP, *axis, *_turns(history, rows), *drawn, foot, "</svg>"])


def rows_of(history: History) -> list[Row]:
    """Return the rows in the order of their first visits, each below the one that it is in."""
    rows: dict[str, Row] = {}
    for visit in history.visits:
        if visit.depth and visit.kind in HIDDEN:
            continue
        row = rows.setdefault(visit.name, Row(visit.name, visit.kind, visit.depth))
        row.visits.append(visit)
    order = {name: place for place, name in enumerate(rows)}
    return sorted(rows.values(), key=lambda row: _path(row.visits[0], order))


def _path(visit: Visit, order: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(order[one.name] for one in (*visit.around, visit))


def _row(history: History, place: int, row: Row) -> Iterator[str]:
    """Yield a row: its box, its name, how long it took in all, a bar for each visit."""
    top, x = ROW * (place + 1), LEFT + INDENT * row.depth
    took = sum(visit.seconds for visit in row.visits)
    times = f" \N{MULTIPLICATION SIGN}{len(row.visits)}" if len(row.visits) > 1 else ""
    yield f'<g class="state {row.style}"><title>{escape(row.name)}: {seconds(took)}</title>'
    yield f'<rect x="{x}" y="{top}" width="{NAMES - x}" height="{BOX}" rx="6"/>'
    yield f'<text x="{x + 10}" y="{top + 15}">{escape(row.name)}{times}</text>'
    yield f'<text x="{NAMES + 84}" y="{top + 15}" class="took">{seconds(took)}</text>'
    for visit in row.visits:
        start, end = _x(history, visit.entered), _x(history, visit.left or history.ended)
        size = f'width="{max(end - start, 1.5):.1f}" height="{BOX - 10}"'
        yield f'<rect class="at" x="{start:.1f}" y="{top + 5}" {size} rx="2"/>'
    yield "</g>"


def _turns(history: History, rows: list[Row]) -> Iterator[str]:
    """Yield the ways between the outermost states: down to the next, by the side to any other."""
    tops = {row.name: ROW * (place + 1) for place, row in enumerate(rows) if not row.depth}
    order = list(tops)
    walked = [visit.name for visit in history.visits if visit.depth == 0]
    for one, other in dict.fromkeys(pairwise(walked)):
        steps = order.index(other) - order.index(one)
        if steps == 1:
            yield f'<path class="way" d="M{LEFT + 8} {tops[one] + BOX}V{tops[other] - 1}"/>'
        else:
            start, end = tops[one] + BOX / 2, tops[other] + BOX / 2
            bow = LEFT - 8 - min(4 * abs(steps), LEFT - 12)
            way = f"M{LEFT} {start}C{bow} {start} {bow} {end} {LEFT - 1} {end}"
            yield f'<path class="way {"skip" if steps > 0 else "back"}" d="{way}"/>'


def _axis(history: History, rows: int) -> Iterator[str]:
    """Yield the lines of the time axis, at a step that leaves four to ten of them."""
    total = _total(history)
    step = next(step for step in STEPS if total / step <= LINES)
    bottom = ROW * (rows + 1)
    count = 0
    while count * step <= total:
        x = AXIS + (WIDTH - AXIS - 10) * count * step / total
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{ROW - 8}" y2="{bottom}"/>'
        yield f'<text class="quiet" x="{x:.1f}" y="{ROW - 12}">{count * step:g} s</text>'
        count += 1


def _x(history: History, moment: Any) -> float:
    offset = float((moment - history.started).total_seconds())
    return AXIS + (WIDTH - AXIS - 10) * offset / _total(history)


def _total(history: History) -> float:
    if history.started is None or history.ended is None:
        raise ValueError("a run is drawn once it is over")
    return max((history.ended - history.started).total_seconds(), 0.001)
