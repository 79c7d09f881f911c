"""`tailkeeper demo`: the whole story on this machine, from a cold start to a proven change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from cli.boot import Booted, Wishes
from cli.configuration import derived, loaded, name_of
from cli.problems import FAILED, Problem, writable
from cli.screen import Screen, seconds
from cli.story.report import page
from cli.story.telling import Telling, chapter
from sandbox.world.settings import HOMELAB


if TYPE_CHECKING:
    from argparse import Namespace

    from cli.story.report import Story
    from tailkeeper.config import Config

SWEEP = "rate(1 day)"  # nothing but the event may start the run of the story


def run(options: Namespace) -> int:
    """Tell the story, write the report; 0 only if real requests have proven all of it."""
    began = time.monotonic()
    screen = Screen()
    writable(options.report, "--report")
    chapter(screen, "1. The embedded world boots")
    folder = options.manifests or HOMELAB
    objects = loaded(screen, folder)
    config = derived(screen, objects, name_of(folder), take_over=True)
    demand(config)
    wishes = Wishes(config, options.manifests, speed=options.speed, sweep=SWEEP)
    with Booted(screen, wishes) as booted:
        for note in booted.notes:
            screen.say(f"  note: {note}")
        story = told(Telling(screen, booted, config, objects))
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(page(story), encoding="utf-8")
    for doubt in story.doubts:
        screen.say(f"  {doubt}", style="red")
    verdict = "Not all was proven." if story.doubts else "All of it was proven by real requests."
    screen.say(f"\n{verdict} It took {seconds(time.monotonic() - began)}.", style="bold")
    screen.say(f"The report is {options.report}")
    return FAILED if story.doubts else 0


def told(telling: Telling) -> Story:
    """Tell the story; raise Problem when the world does not answer any more."""
    try:
        return telling.tell()
    except (httpx.HTTPError, BotoCoreError, ClientError) as error:
        telling.booted.check()
        raise Problem(f"the world does not answer as it should: {error}") from error


def demand(config: Config) -> None:
    """Raise Problem unless the configuration has what the story is about."""
    clusters = config.clusters
    missing = [
        what
        for what, found in (
            (
                "a Gateway that a Tailscale device carries",
                [g for c in clusters for g in c.gateways],
            ),
            ("a zone or a resolver to answer for", [*config.zones, *clusters[0].resolvers]),
        )
        if not found
    ]
    if missing:
        lacking = " and ".join(missing)
        raise Problem(f"the story needs {lacking}: the manifests show none (see the notes above)")
