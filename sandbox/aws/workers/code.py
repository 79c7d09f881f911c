"""Where a function's code and its layers lie on this machine."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.aws.workers.layers import group_folder


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.aws.package import Source

MAKEFILE = "makefile"
UNBUILT = (
    "{name}: its makefile's layer is not a dependency group of pyproject.toml, so it is empty."
)


class UnbuiltLayerError(Exception):
    """A layer that only `sam build` could fill."""


@dataclass
class CodeStore:
    """Runs packaged sources in place; what was uploaded by others is unpacked into `scratch`.

    `layers` maps a layer's logical id in the SAM template to its source.
    """

    sources: Mapping[tuple[str, str], Source]
    layers: Mapping[str, Source]
    pyproject: Path
    scratch: Path
    not_emulated: set[str] = field(default_factory=set)

    def task_root(self, function: Any) -> Path:
        """Return the folder of a moto function's code."""
        source = self._source(function.code)
        return source.path if source else self._unpacked(function.code_bytes)

    def layer_folders(self, layer_version: Any) -> list[Path]:
        """Return the folders that a moto layer version puts on Python's path."""
        source = self._source(layer_version.content)
        if source:
            return self._folders_of(source)
        return _below(self._unpacked(layer_version.code_bytes))

    def layer_path(self, logical_id: str) -> list[Path]:
        """Return the folders that a layer of the template puts on Python's path."""
        return self._folders_of(self.layers[logical_id])

    def _folders_of(self, source: Source) -> list[Path]:
        if source.build_method == MAKEFILE:
            folder = group_folder(self.pyproject, source.path.name)
            if folder is None:
                self.not_emulated.add(UNBUILT.format(name=source.path.name))
            return [folder] if folder else []
        if not source.build_method:
            return _below(source.path)
        if (source.path / "requirements.txt").exists():
            raise UnbuiltLayerError(f"{source.path} has a requirements.txt; use a makefile layer")
        return [source.path]

    def _source(self, place: Mapping[str, Any]) -> Source | None:
        return self.sources.get((place.get("S3Bucket", ""), place.get("S3Key", "")))

    def _unpacked(self, archive: bytes) -> Path:
        folder = self.scratch / hashlib.sha256(archive).hexdigest()[:16]
        if not folder.is_dir():
            zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
        return folder


def _below(layer: Path) -> list[Path]:
    """Return what Lambda adds of a layer that is laid out for /opt."""
    versioned = sorted(layer.glob("python/lib/python3.*/site-packages"))
    return [*versioned, layer / "python"]
