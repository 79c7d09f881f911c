"""What the world is told when it starts: one JSON line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self


TAILSCALE = {
    "api_key": "TAILSCALE_API_KEY",
    "client_id": "TAILSCALE_OAUTH_CLIENT_ID",
    "client_secret": "TAILSCALE_OAUTH_CLIENT_SECRET",
}
CLOUDFLARE = "CLOUDFLARE_API_TOKEN"
HOMELAB = Path(__file__).parents[1] / "homelab"


@dataclass(frozen=True)
class Settings:
    """The line's fields, all optional.

    `manifests` is a directory (ours if absent), `world` a folder that keeps the state. `zones` are
    added to those found in the manifests. `split_dns` points the tailnet's split DNS to the
    resolvers from the start. `repositories` ({provider, name, branch}) are served by a git host,
    the manifests as their first commit. `replace` names outside parts that take the place of ours:
    `tailscale_url` with `tailscale_secret` ({client_id, client_secret} or {api_key}),
    `cloudflare_url` with `cloudflare_token`, `kubeconfig`, `git_url`. Credentials that are not
    given are looked for in the environment, by the names that those services' own tools use.
    """

    manifests: Path = HOMELAB
    world: Path | None = None
    speed: float = 1.0
    zones: tuple[str, ...] = ()
    split_dns: bool = False
    repositories: tuple[dict[str, str], ...] = ()
    replace: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read the line; raise ValueError for what it must not say."""
        if unknown := set(document) - {item.name for item in fields(cls)}:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        speed = float(document.get("speed") or 1.0)
        if speed <= 0:
            raise ValueError("speed must be above 0")
        return cls(
            manifests=Path(document.get("manifests") or HOMELAB),
            world=Path(document["world"]) if document.get("world") else None,
            speed=speed,
            zones=tuple(document.get("zones") or ()),
            split_dns=bool(document.get("split_dns")),
            repositories=tuple(document.get("repositories") or ()),
            replace={k: v for k, v in (document.get("replace") or {}).items() if v},
        )

    @property
    def tailscale_secret(self) -> dict[str, str]:
        """The credentials of somebody else's tailnet, empty when there are none."""
        given: dict[str, str] = self.replace.get("tailscale_secret") or {}
        return given or {
            key: os.environ[name] for key, name in TAILSCALE.items() if os.environ.get(name)
        }

    @property
    def cloudflare_token(self) -> str:
        """The token for somebody else's zones, empty when there is none."""
        given = self.replace.get("cloudflare_token") or os.environ.get(CLOUDFLARE, "")
        return str(given)
