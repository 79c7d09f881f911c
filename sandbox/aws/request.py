"""What the sandbox is asked to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.aws.template import load_template


if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Request:
    """A template with its parameters, and the world around it.

    `template` is the document, `root` the folder that its paths start from; `world` keeps state
    across restarts; `worker_env` is added to every function's environment; `speed` divides waits.
    """

    template: dict[str, Any]
    root: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    world: Path | None = None
    worker_env: Mapping[str, str] = field(default_factory=dict)
    speed: float = 1.0
    stack: str = "tailkeeper"

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Request:
        """Read the line that starts the sandbox, and the template that it names.

        Raise KeyError or TypeError on nonsense, and what reading a template raises.
        """
        given = dict(document)
        path, world = Path(given.pop("template")), given.pop("world", None)
        return cls(
            template=load_template(path),
            root=path.parent,
            world=Path(world) if world else None,
            **given,
        )
