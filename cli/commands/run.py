"""`tailkeeper run MACHINE`: start an execution, wait for it, say what it came to."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import executions, journal
from cli.deciding import stay_undone
from cli.deployments import opened
from cli.following import follow
from cli.problems import FAILED, Misuse
from cli.screen import Screen, seconds
from cli.storage import decisions_of
from cli.tables import STYLES, counts_text, plan_table
from tailkeeper.model import Plan


if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from cli.deployments import Deployment
    from cli.executions import Ended
    from tailkeeper.decisions.decision import Decision

EXPRESS = frozenset({"Sweep"})
CODES = {
    "applied": 0,
    "in_sync": 0,
    "planned": 0,
    "started": 0,
    "failed": FAILED,
    "held": 2,
    "refused": 3,
    "undone": 4,
}


def run(options: Namespace) -> int:
    """Run the machine; return the exit code of its outcome."""
    screen = Screen(json=options.json)
    machine = options.machine.capitalize()
    document = request(machine, given(options.input), dry_run=options.dry_run)
    with opened(options.sandbox, options.stack) as deployment:
        if machine in EXPRESS:
            ended = sweep(screen, deployment, machine, document, follow_on=options.follow)
        else:
            ended = converge(screen, deployment, machine, document, live=options.follow)
        report(screen, deployment, ended)
    return code_of(ended)


def code_of(ended: Ended) -> int:
    """Return the exit code of an outcome; an undo of which a part was refused is refused."""
    output = ended.output or {}
    if output.get("undoes") and (output.get("plan") or {}).get("refused"):
        return CODES["refused"]
    return CODES.get(ended.outcome, FAILED)


def given(text: str | None) -> dict[str, Any]:
    """Return the input that a person gave, as JSON or as @FILE; raise Misuse."""
    if not text:
        return {}
    try:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        document = json.loads(source)
    except OSError as error:
        raise Misuse(f"--input {text}: {error.strerror}") from None
    except ValueError as error:
        raise Misuse(f"--input is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Misuse("--input is not a JSON object: give one as in events/converge-person.json")
    return document


def request(machine: str, document: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
    """Return the execution's input; it names the person, unless it names somebody else."""
    asked = {"dry_run": True} if dry_run else {}
    if machine == "Converge":
        return {"causes": [person()], **document, **asked}
    if machine == "Undo":
        return {"by": person()["by"], **document, **asked}
    if dry_run:
        raise Misuse(f"--dry-run is for converge and undo: {machine.lower()} only looks")
    return dict(document)


def person() -> dict[str, str]:
    """Return the cause that this person is."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        name = "somebody"
    return {"kind": "person", "id": str(uuid.uuid4()), "at": at, "by": name, "ref": "run"}


def converge(
    screen: Screen,
    deployment: Deployment,
    machine: str,
    document: Mapping[str, Any],
    *,
    live: bool,
) -> Ended:
    """Run a machine to its end, or whoever holds the lease and has taken the causes over.

    A holder that is not alive has left its lease to expire: then the machine is started again; and
    so it is after an undo, which takes no cause over.
    """
    while True:
        ended = watched(
            screen, deployment, executions.start(deployment, machine, document), live=live
        )
        if not ended.output or ended.outcome != "coalesced":
            return ended
        holder = ended.output["holder"]
        screen.say(f"Another run has taken the causes over: {holder}")
        earlier = executions.described(deployment, holder)
        over = earlier or watched(screen, deployment, holder, live=live)
        is_undo = executions.is_of(deployment, "Undo", holder)
        if not is_undo and not over.abandoned(before_us=bool(earlier)):
            return over
        if over.status == "SUCCEEDED":
            continue
        rest = max(journal.lease_expiry(deployment) - time.time(), 0) + 1
        with screen.waiting(f"That run is dead; its lease expires in {seconds(rest)}"):
            time.sleep(rest)


def watched(screen: Screen, deployment: Deployment, arn: str, *, live: bool) -> Ended:
    """Wait for an execution, telling of its states if that is asked for."""
    if live:
        return follow(screen, deployment, arn)
    with screen.waiting(f"Running {arn.rpartition(':')[2]}"):
        return executions.wait(deployment, arn)


def sweep(
    screen: Screen,
    deployment: Deployment,
    machine: str,
    document: Mapping[str, Any],
    *,
    follow_on: bool,
) -> Ended:
    """Run an Express machine; go on with the Converge that it started, if that is asked for."""
    with screen.waiting(f"Running {machine}"):
        ended = executions.run_express(deployment, machine, document)
    if follow_on and ended.output and ended.outcome == "started":
        screen.say(f"It has started a Converge: {ended.output['why']}")
        return follow(screen, deployment, ended.output["execution"])
    return ended


def report(screen: Screen, deployment: Deployment, ended: Ended) -> None:
    """Print the outcome: one JSON document, or the plan as a table and a sentence."""
    output = ended.output or {"outcome": "failed", "why": ended.why}
    plan = None if screen.json and not output.get("undoes") else planned(deployment, ended)
    if screen.json:
        changes = {"changes": plan.as_json()} if plan else {}
        screen.document({**output, **changes, "execution": ended.arn})
        return
    if plan:
        screen.say(plan_table(plan.changes))
    for text in output.get("reports", ()):
        screen.say(f"note: {text}")
    words = [output["outcome"]]
    if output.get("change_id"):
        undone = f" undoes {output['undoes']}" if output.get("undoes") else ""
        words.append(f"change {output['change_id']}{undone}")
    if "plan" in output:
        words.append(counts_text(output["plan"]))
    if states := (output.get("proof") or {}).get("states") or output.get("states"):
        words.append(f"seen: {counts_text(states)}")
    if output.get("why"):
        words.append(output["why"])
    words += output.get("devices", ())
    screen.say(". ".join(words), style=STYLES.get(output["outcome"], ""))
    if back := stand_back(deployment, output):
        screen.say(stay_undone(len(back), back[0].change_id))


def stand_back(deployment: Deployment, output: Mapping[str, Any]) -> list[Decision]:
    """Return what a run has taken back, which no other run makes again."""
    taken_back = output.get("undoes") or (output["outcome"] == "undone" and output["change_id"])
    known = decisions_of(deployment).known().values() if taken_back else ()
    return [one for one in known if one.word == "undone" and one.change_id == taken_back]


def planned(deployment: Deployment, ended: Ended) -> Plan | None:
    """Return the last plan of an execution that had changes in it, with all its verdicts."""
    if ":express:" in ended.arn:
        return None
    history = executions.read_history(deployment, ended.arn)
    for visit in reversed([*history.of("Plan Change"), *history.of("Plan Undo")]):
        payload = (visit.output or {}).get("Payload") or {}
        if "plan" in payload:
            plan = Plan.from_json(executions.unpacked(deployment, payload["plan"]))
            if plan:
                return plan
    return None
