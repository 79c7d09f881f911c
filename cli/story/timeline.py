"""What happened when: on the world's clock, and on this machine's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.screen import seconds
from cli.tables import table


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

    from cli.history import History

STATES = {"Observe": "observed", "Plan Change": "planned", "Apply": "applied"}


@dataclass(frozen=True)
class Moment:
    """Something that happened, `after` so many seconds of this machine."""

    what: str
    after: float
    by: str = ""


def moments_of(
    event: float,
    *,
    acknowledged: float | None,
    history: History,
    head: Mapping[str, Any],
    answered: Mapping[tuple[str, str], float],
) -> list[Moment]:
    """Return the moments since an event (epoch seconds), in their order.

    `answered` are the client's own: since when each way to the gateway answers again.
    """
    found = [Moment("the proxy is recreated, its device has a new name and address", 0.0)]
    if acknowledged:
        found.append(Moment("the webhook is acknowledged", acknowledged - event, "receiver"))
    if history.started:
        found.append(Moment("Converge starts", history.started.timestamp() - event, "bus"))
    for state, word in STATES.items():
        left = [visit.left for visit in history.of(state) if visit.left]
        if left:
            found.append(Moment(f"the change is {word}", left[-1].timestamp() - event, state))
    for view, at in (head.get("proof") or {}).get("views", {}).items():
        proven = datetime.fromisoformat(at).timestamp() - event
        found.append(Moment(f"proven in the {view} view", proven, "Judge Proof"))
    for (_, path), since in answered.items():
        what = f"everything answers again, by {path.replace('-', ' ')}"
        found.append(Moment(what, since - event, "the client"))
    if history.ended:
        found.append(Moment("Converge ends", history.ended.timestamp() - event))
    return sorted(found, key=lambda moment: moment.after)


def timeline_table(moments: Iterable[Moment], speed: float) -> Table:
    """Return the moments as a table."""
    made = table("after", "world's clock", "what", "seen by", whole=2)
    for moment in moments:
        made.add_row(seconds(moment.after), seconds(moment.after * speed), moment.what, moment.by)
    return made
