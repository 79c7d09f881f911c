"""The story as one page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from cli.picture import picture
from cli.screen import seconds
from cli.story.questions import TITLES, cells_of
from cli.tables import verdict_of
from tailkeeper.summary import text_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cli.history import History
    from cli.story.comparison import Comparison
    from cli.story.moving import Move
    from cli.story.questions import Asked
    from cli.story.timeline import Moment
    from tailkeeper.model import Change

PAGE = Path(__file__).with_name("page.html")
Cell = tuple[str, str]  # text, CSS class


@dataclass(frozen=True)
class Story:
    """Everything that was seen; `asked` are the answers before, during and after."""

    speed: float
    move: Move
    change_id: str
    changes: Sequence[Change]
    asked: tuple[Sequence[Asked], Sequence[Asked], Sequence[Asked]]
    moments: Sequence[Moment]
    history: History
    definition: Mapping[str, Any]
    comparison: Comparison | None

    @property
    def took(self) -> float:
        """Return how long the outage was, in seconds of this machine."""
        answered = [m.after for m in self.moments if m.by in {"the client", "Judge Proof"}]
        return max(answered, default=0.0)

    @property
    def doubts(self) -> list[str]:
        """Return what was not as the story tells it: none, if real requests have proven it all."""
        before, during, after = self.asked
        wrong = [
            f"{when} the move, {one.expected.host} in the {' view, '.join(one.way)}: {one.why}"
            for when, asked in (("before", before), ("after", after))
            for one in asked
            if not one.right
        ]
        carried = [
            one
            for one in during
            if one.answer.view == "tailnet" and self.move.carried(one.expected)
        ]
        alive = [f"{one.expected.host} still answered: {one.text}" for one in carried if one.right]
        return wrong + alive + ([] if carried else ["the device that moved carried no name"])


def page(story: Story) -> str:
    """Return the page."""
    before, during, after = (_proof(asked) for asked in story.asked)
    old, new = (device["name"] for device in (story.move.old, story.move.new))
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title="a gateway moved, and every answer followed",
        lead=f"The gateway's proxy was recreated: {escape(old)} went offline, {escape(new)} came.",
        figures=_figures(story),
        speed=f"{story.speed:g}",
        timeline=_timeline(story),
        picture=picture(story.history, story.definition),
        change=escape(story.change_id),
        plan=_plan(story.changes),
        before=before,
        during=during,
        after=after,
        comparison=_comparison(story.comparison),
    )


def _figures(story: Story) -> str:
    figures = [
        (seconds(story.took * story.speed), "until every view was right, world's clock"),
        (seconds(story.took), "the same, on this machine"),
        (str(len(story.changes)), "changes, in one journalled change"),
        (str(len(story.asked[2])), "answers checked by real requests"),
    ]
    if story.comparison:
        took = story.comparison.simulation.seconds
        figures.insert(1, (seconds(took), "the CronJob, on the same event"))
    return "".join(f"<div><b>{b}</b><span>{escape(text)}</span></div>" for b, text in figures)


def _timeline(story: Story) -> str:
    rows = [(seconds(m.after * story.speed), seconds(m.after), m.what, m.by) for m in story.moments]
    return _table(("world's clock", "this machine", "what", "seen by"), _plain(rows))


def _plan(changes: Iterable[Change]) -> str:
    rows = [(c.surface, c.key, text_of(c.before), text_of(c.after), verdict_of(c)) for c in changes]
    return _table(("surface", "name", "before", "after", "verdict"), _plain(rows))


def _proof(asked: Sequence[Asked]) -> str:
    rows = [
        [
            (host, ""),
            *((one.text, "good" if one.right else "bad") if one else ("-", "") for one in cells),
        ]
        for host, cells in cells_of(asked).items()
    ]
    return _table(("asked for https://", *TITLES), rows)


def _comparison(found: Comparison | None) -> str:
    if not found:
        return "<p>There is no updater CronJob in these manifests to compare with.</p>"
    rows = [
        (
            seconds(step.over - found.simulation.event),
            step.name,
            f"{seconds(step.least)} to {seconds(step.most)}",
        )
        for step in found.simulation.steps
    ]
    rows += [("never", text, "") for text in found.never]
    said = (
        f"<p>{escape(found.sentence)}, on the world's clock: simulated from its own settings.</p>"
    )
    return said + _table(("after", "step", "takes"), _plain(rows))


def _plain(rows: Iterable[Iterable[str]]) -> list[list[Cell]]:
    return [[(text, "") for text in row] for row in rows]


def _table(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _cell(cell: Cell) -> str:
    text, style = cell
    return f'<td class="{style}">{escape(text)}</td>' if style else f"<td>{escape(text)}</td>"
