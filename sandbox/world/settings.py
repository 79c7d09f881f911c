"""What the world is told when it starts: one JSON line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


HOMELAB = Path(__file__).parents[1] / "homelab"


@dataclass(frozen=True)
class Settings:
    """The line's fields, all optional.

    `manifests` is a directory (ours if absent), `world` a folder that keeps the state. `zones` are
    added to those found in the manifests. `split_dns` points the tailnet's split DNS to the
    resolvers from the start. `replace` names outside parts that take the place of ours, by
    `tailscale_url`, `cloudflare_url` and `kubeconfig`.
    """

    manifests: Path = HOMELAB
    world: Path | None = None
    speed: float = 1.0
    zones: tuple[str, ...] = ()
    split_dns: bool = False
    replace: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read the line; raise ValueError for what it must not say."""
        known = {"manifests", "world", "speed", "zones", "split_dns", "replace"}
        if unknown := set(document) - known:
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
            replace={k: v for k, v in (document.get("replace") or {}).items() if v},
        )
