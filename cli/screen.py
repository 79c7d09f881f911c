"""Where the commands write: at most 100 columns, colours only for terminals that want them."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

WIDTH = 100
MINUTE, HOUR = 60, 3600
PRECISE = 10  # seconds up to which hundredths are told


def console(stream: TextIO) -> Console:
    """Return a console; rich heeds NO_COLOR and leaves control codes out where nobody sees them."""
    found = Console(file=stream)
    width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


class Screen:
    """What a command says. With `json`, standard output is kept for one document at the end."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self.console = console(sys.stderr if json else sys.stdout)

    def say(self, text: Any = "", style: str = "") -> None:
        """Print a line, or anything that rich can print."""
        self.console.print(text, style=style)

    def document(self, document: Any) -> None:
        """Print a JSON document on standard output."""
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show that something is under way; yield what changes the text.

        The text moves in a terminal; elsewhere it is one line, and its changes are not shown.
        """
        if self.console.is_terminal:
            with self.console.status(text) as status:
                yield status.update
        else:
            self.say(f"{text} ...")
            yield lambda _: None


def seconds(value: float) -> str:
    """Return a duration as people read it: 0.42 s, 14 s, 2 min 05 s, 5 h 10 min."""
    if value < PRECISE:
        return f"{value:.2f} s"
    whole = round(value)
    if whole < 2 * MINUTE:
        return f"{whole} s"
    if whole < 2 * HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
