"""`tailkeeper up`: the embedded world in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

from cli.boot import Booted, Wishes
from cli.configuration import configuration
from cli.problems import Misuse, writable
from cli.replaced import Replaced
from cli.screen import Screen, seconds
from sandbox.files import write_atomically
from tailkeeper.config import Config, ConfigError


if TYPE_CHECKING:
    from argparse import Namespace

CHECK_SECONDS = 0.5


def run(options: Namespace) -> int:
    """Boot, write the connection file, wait for the signal to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends us as Ctrl-C does
    screen = Screen()
    if options.state:
        writable(options.state, "--state")
    if options.world:
        writable(options.world / "world.log", "--world")
    wishes = wished(screen, options)
    with Booted(screen, wishes) as booted:
        tell(screen, booted, wishes)
        if options.state:
            write_atomically(options.state, json.dumps(booted.connection, indent=2).encode())
            screen.say(f"How to connect is in {options.state}")
        took = seconds(time.time() - booted.began)
        screen.say(f"Ready after {took}. Ctrl-C, or SIGTERM, ends it.", style="bold")
        stay(booted)
        screen.say("Stopping.")
    return 0


def stay(booted: Booted) -> None:
    """Wait until somebody ends us; raise Problem when the world ends by itself."""
    try:
        while True:
            booted.check()
            time.sleep(CHECK_SECONDS)
    except KeyboardInterrupt:
        return


def wished(screen: Screen, options: Namespace) -> Wishes:
    """Return what the options ask for; raise Misuse."""
    replaced = Replaced.of(options)
    config = configuration(
        screen, file=options.config, manifests=options.manifests, replaced=replaced
    )
    if options.git:
        config = watching(config, options.git)
    return Wishes(config, options.manifests, options.world, options.speed, options.sweep, replaced)


def watching(config: Config, name: str) -> Config:
    """Return the configuration with a repository of GitHub's; raise Misuse when it is none."""
    document = config.as_json()
    document["repositories"] = [*document["repositories"], {"provider": "github", "name": name}]
    try:
        return Config.from_json(document)
    except ConfigError as error:
        raise Misuse(f"--git {name}: {error}") from None


def tell(screen: Screen, booted: Booted, wishes: Wishes) -> None:
    """Say what a person should know of this world."""
    for note in booted.notes:
        screen.say(f"  note: {note}")
    screen.say("Not emulated:")
    for text in booted.not_emulated:
        screen.say(f"  - {text}")
    pace = f"a delay of 90 s lasts {seconds(90 / wishes.speed)}"
    screen.say(f"The world's clock runs {wishes.speed:g} times as fast: {pace}.")
    screen.say(f"A sweep, {wishes.sweep} by that clock, finds what no event told. It starts a")
    screen.say("Converge by itself when there is something to do; so does an event of the tailnet.")
    connection = booted.connection
    for name, url in (
        ("AWS", connection["aws"]["endpoint_url"]),
        ("webhooks", connection["webhooks"]["base_url"]),
        ("Tailscale", connection["tailscale"]["base_url"]),
        ("Cloudflare", connection["cloudflare"]["base_url"]),
        ("Kubernetes", connection["kubernetes"]["base_url"]),
        ("SOCKS5", connection["socks5"]),
        *(("git clone", url) for url in connection["git"].get("clone_urls", {}).values()),
    ):
        screen.say(f"  {name:<11} {url}")
