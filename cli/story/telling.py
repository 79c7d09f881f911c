"""The story's chapters after the boot: in step, moved, mended, proven."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cli import executions, journal
from cli.commands.run import given, planned
from cli.deployments import Deployment, of_connection
from cli.following import follow
from cli.problems import Problem
from cli.screen import Screen, seconds
from cli.story.comparison import compare, comparison_table
from cli.story.moving import carrier, recreate
from cli.story.questions import ask, expected_of, proof_table
from cli.story.receiver import acknowledged
from cli.story.report import Story
from cli.story.timeline import moments_of, timeline_table
from cli.story.watching import Watch
from cli.tables import plan_table


if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.boot import Booted
    from cli.executions import Ended
    from cli.journal import Entry
    from cli.story.moving import Move
    from cli.story.questions import Asked
    from tailkeeper.config import Config

ROOT = Path(__file__).parents[2]
PERSON = ROOT / "events" / "converge-person.json"
MACHINE = ROOT / "statemachines" / "converge.asl.yaml"
PATIENCE_SECONDS = 20.0  # with the webhook, and with the last view


def chapter(screen: Screen, title: str) -> None:
    """Begin a chapter."""
    screen.say(f"\n{title}\n", style="bold")


class Telling:
    """The story, told in a world that is up."""

    def __init__(
        self, screen: Screen, booted: Booted, config: Config, objects: list[dict[str, Any]]
    ) -> None:
        self.screen = screen
        self.booted = booted
        self.connection = booted.connection
        self.deployment = of_connection(booted.connection)
        self.config = config
        self.objects = objects

    def tell(self) -> Story:
        """Tell chapters two to five; raise Problem when one cannot go on."""
        entries, before = self.bring_in_step()
        move, during = self.move(entries)
        ended, answered = self.follow_the_event(entries, move)
        return self.prove(entries, (before, during), move, ended, answered)

    def bring_in_step(self) -> tuple[list[Entry], Sequence[Asked]]:
        """Run a first Converge; return what it wrote, and what everything answers."""
        chapter(self.screen, "2. A first Converge brings everything in step")
        arn = executions.start(self.deployment, "Converge", given(f"@{PERSON}"))
        ended = follow(self.screen, self.deployment, arn)
        entries = self.written(ended)
        if not expected_of(entries):
            raise Problem("the cluster publishes no names: there is no HTTPRoute on its Gateway")
        return entries, self.ask(entries)

    def move(self, entries: list[Entry]) -> tuple[Move, Sequence[Asked]]:
        """Recreate the gateway's proxy, and ask the same again."""
        chapter(self.screen, "3. The gateway's proxy is recreated")
        admin, expected = self.connection["tailscale"]["admin_url"], expected_of(entries)
        move = recreate(admin, carrier(admin, expected))
        asked = ask(self.connection, expected)
        for device in (move.old, move.new):
            state = "offline" if device is move.old else "connected"
            self.screen.say(f"  {device['name']}  {', '.join(device['addresses'])}  {state}")
        self.screen.say(proof_table(asked))
        return move, asked

    def follow_the_event(
        self, entries: list[Entry], move: Move
    ) -> tuple[Ended, dict[tuple[str, str], float]]:
        """Follow the run that the webhook starts; ask beside it when each way answers again."""
        chapter(self.screen, "4. Tailscale tells of it by its webhook, and Converge runs by itself")
        moved = [expected for expected in expected_of(entries) if move.carried(expected)]
        with Watch(self.connection, moved) as watch:
            ended = follow(self.screen, self.deployment, awaited(self.deployment, move.at))
            watch.settle(PATIENCE_SECONDS)
        return ended, watch.since

    def prove(
        self,
        entries: list[Entry],
        asked: tuple[Sequence[Asked], Sequence[Asked]],
        move: Move,
        ended: Ended,
        answered: dict[tuple[str, str], float],
    ) -> Story:
        """Ask for everything once more; return the story."""
        chapter(self.screen, "5. Everything answers again")
        written = self.written(ended)
        after = self.ask([*entries, *written])
        history = executions.read_history(self.deployment, ended.arn)
        change_id = str((ended.output or {})["change_id"])
        moments = moments_of(
            move.at,
            acknowledged=acknowledged(self.connection["aws"], move.at),
            history=history,
            head=journal.head(self.deployment, change_id) or {},
            answered=answered,
        )
        plan = planned(self.deployment, ended)
        story = Story(
            speed=self.deployment.speed,
            move=move,
            change_id=change_id,
            changes=plan.changes if plan else (),
            asked=(*asked, after),
            moments=moments,
            history=history,
            definition=yaml.safe_load(MACHINE.read_text(encoding="utf-8")),
            comparison=compare(
                self.objects,
                self.config,
                self.booted.world_time(move.at),
                self.booted.world_time(history.of("Plan Change")[-1].entered.timestamp()),
            ),
        )
        self.show(story)
        return story

    def show(self, story: Story) -> None:
        """Print the plan, the timeline and the comparison."""
        self.screen.say(plan_table(story.changes))
        self.screen.say(timeline_table(story.moments, story.speed))
        if story.comparison:
            self.screen.say(f"On the same event and clock, {story.comparison.sentence}:")
            self.screen.say(comparison_table(story.comparison))

    def ask(self, entries: list[Entry]) -> Sequence[Asked]:
        """Ask for everything that was written, and print the answers."""
        asked = ask(self.connection, expected_of(entries))
        self.screen.say(proof_table(asked))
        return asked

    def written(self, ended: Ended) -> list[Entry]:
        """Return what a run wrote; raise Problem unless it was applied."""
        if ended.outcome != "applied" or not ended.output:
            why = (ended.output or {}).get("why") or ended.why
            raise Problem(f"Converge ended as {ended.outcome}, not as applied: {why}")
        return journal.entries(self.deployment, ended.output["change_id"])


def awaited(deployment: Deployment, since: float) -> str:
    """Return the run that started after an epoch second; raise Problem when none does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for arn in executions.started_since(deployment, "Converge", since):
            return arn
        executions.pause(deployment)
    patience = seconds(PATIENCE_SECONDS)
    raise Problem(f"no webhook has started a Converge within {patience}: see the receiver's log")
