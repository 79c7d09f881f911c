"""The files that a container sees of its ConfigMaps."""

from __future__ import annotations

import base64
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    ConfigMaps = Callable[[str], Mapping[str, Any] | None]


class MountError(LookupError):
    """A volume that cannot be mounted: the container waits; the text is the kubelet's."""


@dataclass(frozen=True)
class Mount:
    """One ConfigMap under one path; a `sub_path` mount never sees updates."""

    path: str
    config_map: str
    items: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    sub_path: str = ""

    def files(self, config_maps: ConfigMaps) -> dict[str, str]:
        """Return paths and texts as they are now; raise MountError for what is missing."""
        found = config_maps(self.config_map)
        if found is None:
            if self.optional:
                return {}
            raise MountError(f'configmap "{self.config_map}" not found')
        data = _texts(found)
        missing = [key for key, _ in self.items if key not in data]
        if missing and not self.optional:
            raise MountError(f"configmap references non-existent config key: {missing[0]}")
        names = self.items or tuple((key, key) for key in data)
        held = {path: data[key] for key, path in names if key in data}
        if self.sub_path:
            return {self.path: held[self.sub_path]} if self.sub_path in held else {}
        return {posixpath.join(self.path, path): text for path, text in held.items()}


def mounts(pod_spec: Mapping[str, Any], container: Mapping[str, Any]) -> list[Mount]:
    """Return the container's mounts of ConfigMaps, projected ones included."""
    volumes = {volume["name"]: volume for volume in pod_spec.get("volumes") or []}
    return [
        Mount(
            mount["mountPath"].rstrip("/"),
            source["name"],
            tuple((item["key"], item["path"]) for item in source.get("items") or []),
            bool(source.get("optional")),
            mount.get("subPath", ""),
        )
        for mount in container.get("volumeMounts") or []
        for source in _sources(volumes.get(mount["name"], {}))
    ]


def _sources(volume: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    projected = (volume.get("projected") or {}).get("sources") or []
    for source in (volume.get("configMap"), *(item.get("configMap") for item in projected)):
        if isinstance(source, dict) and source.get("name"):
            yield source


def _texts(config_map: Mapping[str, Any]) -> dict[str, str]:
    binary = config_map.get("binaryData") or {}
    return {
        **(config_map.get("data") or {}),
        **{k: base64.b64decode(v).decode(errors="replace") for k, v in binary.items()},
    }
