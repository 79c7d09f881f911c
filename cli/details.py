"""One short remark on what a state of a machine came to, for people who follow a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.tables import counts_text


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cli.history import Visit

    Payload = Mapping[str, Any]


def remark(visit: Visit) -> str:
    """Return the remark on a visit that is over, "" where there is nothing to say."""
    if visit.declined:
        return "no"
    if visit.failed:
        return f"failed: {visit.errors[-1]}"
    output = visit.output if isinstance(visit.output, dict) else {}
    payload = output.get("Payload", output)
    words = [f"after {', '.join(visit.errors)}"] if visit.errors else []
    if visit.name in REMARKS and isinstance(payload, dict):
        words.insert(0, REMARKS[visit.name](payload))
    return "; ".join(filter(None, words))


def _gathered(payload: Payload) -> str:
    adopted = payload.get("adopted")
    count = payload.get("count", 0)
    causes = f"{count} cause{'' if count == 1 else 's'}"
    return f"{causes}, goes on with {adopted}" if adopted else causes


def _planned(payload: Payload) -> str:
    if payload.get("settling"):
        return f"not settled: {'; '.join(payload.get('why', ()))}"
    return counts_text(payload.get("counts", {}))


def _applied(payload: Payload) -> str:
    counts = {
        "written": payload.get("applied", 0),
        "in place": payload.get("already", 0),
        "in conflict": len(payload.get("conflicts", ())),
    }
    return counts_text(counts)


def _judged(payload: Payload) -> str:
    states = (payload.get("proof") or {}).get("states", {})
    return f"{payload.get('word', '')}: {counts_text(states)}"


def _swept(payload: Payload) -> str:
    return payload.get("why") or "nothing to do"


REMARKS: dict[str, Callable[[Payload], str]] = {
    "Gather Causes": _gathered,
    **dict.fromkeys(("Plan Change", "Plan Undo", "Import Marks"), _planned),
    **dict.fromkeys(("Apply Records", "Apply Resolver", "Apply Split DNS"), _applied),
    **dict.fromkeys(("Undo Records", "Undo Resolver", "Undo Split DNS"), _applied),
    "Judge Proof": _judged,
    "Judge Sweep": _swept,
    "Tell People": lambda payload: f"of {payload.get('told', 0)} held",
    "Close Change": lambda payload: str(payload.get("outcome", "")),
}
