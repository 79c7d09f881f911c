"""The kinds that the cluster serves from the start, read from `tables/`."""

from __future__ import annotations

from pathlib import Path

from sandbox.kubernetes.kinds.notation import parse
from sandbox.kubernetes.kinds.resource import Kinds


_TABLES = Path(__file__).parent / "tables"


def builtin_kinds() -> Kinds:
    """Return a fresh register of the core kinds and the custom ones that tailkeeper reads."""
    common = (_TABLES / "common.fields").read_text()
    core = [path.read_text() for path in sorted(_TABLES.glob("*.fields"))]
    custom = [common, *(path.read_text() for path in sorted(_TABLES.glob("custom/*.fields")))]
    return Kinds.of([*parse(core, custom=False), *parse(custom, custom=True)])
