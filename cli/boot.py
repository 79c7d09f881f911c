"""The embedded world, booted: the two halves of the sandbox, introduced to each other.

The half outside AWS starts first, since the stack's parameters are its addresses; the AWS half
loads meanwhile. Then secrets are filled and the webhook is registered as an operator would do it.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Self

from cli.children import Child
from cli.handover import aws_part, fill_secrets, machines_of
from cli.registration import hook_repositories, register
from cli.replaced import Replaced
from cli.screen import seconds
from cli.trust import bundle


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cli.screen import Screen
    from tailkeeper.config import Config

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
CREDENTIALS = frozenset({"api_key", "client_id", "client_secret"})
LEASE_SECONDS, SHORTEST_LEASE = 150, 30  # a lease is real time, since functions are
PATIENCE_SECONDS = 900  # world time, as every Wait is: yet longer than a dead run's lease
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
PUNCTUALITY = 0.9  # of a schedule
UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class Wishes:
    """What to boot; `sweep` is a rate on the world's clock, which runs `speed` times as fast."""

    config: Config
    manifests: Path | None = None
    world: Path | None = None
    speed: float = 1.0
    sweep: str = "rate(5 minutes)"
    replaced: Replaced = field(default_factory=Replaced)

    @property
    def sweep_seconds(self) -> float:
        """Return how far apart two sweeps are at least, by this machine's clock.

        Of a cron, five minutes of the world's.
        """
        rate = RATE.fullmatch(self.sweep)
        period = int(rate[1]) * UNIT_SECONDS[rate[2]] if rate else 300
        return round(PUNCTUALITY * period / self.speed, 1)


class Booted:
    """A running world: `connection` is the document of the connection file. Stop it by `with`."""

    def __init__(self, screen: Screen, wishes: Wishes) -> None:
        self.connection: dict[str, Any] = {}
        self.notes: list[str] = []
        self.not_emulated: list[str] = []
        self.began = time.time()
        self._screen = screen
        self._wishes = wishes
        self._ending = ExitStack()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Boot; raise Problem with what cannot be started, having stopped the rest."""
        try:
            with self._screen.waiting("Starting the world") as update:
                self._boot(update)
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both halves."""
        self._ending.close()

    def check(self) -> None:
        """Raise Problem when a half has ended by itself."""
        for child in self._children:
            if not child.alive:
                raise child.ended()

    def world_time(self, moment: float) -> float:
        """Return what the world's clock says at a moment of ours, both in epoch seconds."""
        return self.began + (moment - self.began) * self._wishes.speed

    def _boot(self, update: Callable[[str], None]) -> None:
        folder = self._wishes.world or Path(
            self._ending.enter_context(tempfile.TemporaryDirectory(prefix="tailkeeper-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        outside = self._child("the world", "sandbox.world", folder / "world.log")
        aws = self._child("AWS", "sandbox.aws", folder / "aws.log")
        outside.request(self._outside_request(folder))
        world = self._wishes.replaced.laid_over(outside.ready(self._telling(update)))
        aws.request(self._aws_request(folder, world))
        stack = aws.ready(self._telling(update))
        self._connect(world, stack)
        aws.request({"event": "connected"})
        self.notes += world["notes"]
        self.not_emulated += stack["not_emulated"]

    def _child(self, name: str, module: str, log: Path) -> Child:
        child = Child(name, module, log)
        self._children.append(child)
        self._ending.callback(child.stop)
        return child

    def _telling(self, update: Callable[[str], None]) -> Callable[[str], None]:
        def tell(text: str) -> None:
            update(text)
            self._screen.say(f"{seconds(time.time() - self.began):>8}  {text}")

        return tell

    def _outside_request(self, folder: Path) -> dict[str, Any]:
        return {
            "manifests": str(self._wishes.manifests.resolve()) if self._wishes.manifests else None,
            "world": str(folder.resolve()),
            "speed": self._wishes.speed,
            "zones": [zone.name for zone in self._wishes.config.zones],
            "repositories": [
                {"provider": one.provider, "name": one.name, "branch": one.branch}
                for one in self._wishes.config.repositories
            ],
            "replace": self._wishes.replaced.for_world(),
        }

    def _aws_request(self, folder: Path, world: Mapping[str, Any]) -> dict[str, Any]:
        speed = self._wishes.speed
        lease = max(SHORTEST_LEASE, math.ceil(LEASE_SECONDS / speed))
        parameters = {
            "Config": json.dumps(self._wishes.config.as_json(), separators=(",", ":")),
            "TailscaleUrl": world["tailscale"]["base_url"],
            "CloudflareUrl": world["cloudflare"]["base_url"],
            "GitUrl": world["git"].get("base_url", ""),
            "TailnetProxy": f"socks5h://{world['socks5']}",
            "PublicDns": world["dns"]["public"],
            "LeaseSeconds": str(lease),
            "PatienceSeconds": str(max(PATIENCE_SECONDS, math.ceil(2 * lease * speed))),
            "SweepRate": self._wishes.sweep,
            "SweepSeconds": str(self._wishes.sweep_seconds),
        }
        return {
            "template": str(TEMPLATE),
            "parameters": parameters,
            "world": str(folder.resolve()) if self._wishes.world else None,
            "worker_env": {"SSL_CERT_FILE": self._trusted(folder, world["tls"]["ca_file"])},
            "speed": speed,
        }

    def _trusted(self, folder: Path, world_ca: str) -> str:
        """Return whom functions trust: this machine's authorities cost 30 ms a client to load."""
        everything_is_ours = self._wishes.replaced == Replaced()
        return world_ca if everything_is_ours else str(bundle(folder, Path(world_ca)))

    def _git_tokens(self, git: Mapping[str, Any]) -> dict[str, str]:
        """Return the token for each provider of the configuration, where there is a git host."""
        providers = [repository.provider for repository in self._wishes.config.repositories]
        return dict.fromkeys(providers, git["token"]) if git.get("token") else {}

    def _connect(self, world: Mapping[str, Any], stack: Mapping[str, Any]) -> None:
        """Fill the secrets, register the webhook, and say how to connect to all of it."""
        wishes = self._wishes
        tailscale = {key: v for key, v in world["tailscale"].items() if key in CREDENTIALS}
        clusters = [cluster.name for cluster in wishes.config.clusters]
        kubeconfig = wishes.replaced.kubeconfig_text or read(world["kubernetes"]["tailkeeper"])
        base_url = world["tailscale"]["base_url"]
        registered = register(base_url, tailscale, stack["http_api_url"])
        git_secret = token_hex(16)  # of every git host, and of Flux
        if registered.why:
            self.notes.append(f"no webhook is registered, so no event comes: {registered.why}")
        fill_secrets(
            stack,
            {
                "TailscaleSecret": tailscale,
                "GitSecret": self._git_tokens(world["git"]),
                "CloudflareSecret": {"api_token": world["cloudflare"]["api_token"]},
                "KubeconfigSecret": dict.fromkeys(clusters, kubeconfig),
                "WebhookSecrets": {
                    "tailscale": [registered.secret],
                    "git": [git_secret],
                    "flux": [git_secret],
                },
            },
        )
        if world["git"].get("admin_url"):
            hook_repositories(
                world["git"]["admin_url"], wishes.config, stack["http_api_url"], git_secret
            )
        outside = ("tailscale", "cloudflare", "kubernetes", "git", "dns", "socks5", "tls")
        self.connection = {
            "aws": aws_part(stack),
            "webhooks": {
                "base_url": stack["http_api_url"],
                "tailscale_secret": registered.secret,
                "git_secret": git_secret,
            },
            "state_machines": machines_of(stack),
            **{name: world[name] for name in outside},
            "speed": wishes.speed,
        }


def read(file: str) -> str:
    """Return a text file."""
    return Path(file).read_text(encoding="utf-8")
