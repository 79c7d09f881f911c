"""Split-horizon resolvers: a CoreDNS workload, the ConfigMap it reads, the Service in front."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.operated import reaches_tailnet
from tailkeeper.config import DeviceName, ResolverConfig
from tailkeeper.derive.gateways import default_tags, derive_device
from tailkeeper.derive.inventory import Inventory, key_of, namespace_of
from tailkeeper.resolver.corefile import ServerBlock, server_blocks
from tailkeeper.resolver.writers import config_map_writers


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
PUBLIC = ("1.1.1.1", "1.0.0.1")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A file that a pod gets from a ConfigMap, and the key that it is there."""

    config_map: str
    key: str


def derive_resolvers(inventory: Inventory, *, take_over: bool) -> Iterator[ResolverConfig]:
    """Yield the CoreDNS workloads that the tailnet reaches, with what they answer for."""
    for kind in WORKLOADS:
        for workload in inventory.by_kind[kind]:
            pod = workload["spec"]["template"]
            service = _service(inventory, workload, pod)
            if _is_coredns(pod) and service:
                yield from _resolver(inventory, workload, pod, service, take_over=take_over)


def _resolver(
    inventory: Inventory,
    workload: Mapping[str, Any],
    pod: Mapping[str, Any],
    service: Mapping[str, Any],
    *,
    take_over: bool,
) -> Iterator[ResolverConfig]:
    namespace = namespace_of(workload)
    corefile, text = _corefile(inventory, namespace, pod)
    blocks = [block for block in server_blocks(text) if block.domains]
    if corefile is None or not blocks:
        note = f"resolver {key_of(workload)}: no Corefile with a domain of its own was found"
        inventory.notes.append(note)
        return
    written = next(filter(None, (_hosts_file(block, pod) for block in blocks)), None)
    place = written or corefile
    _note_others(inventory, namespace, place.config_map, take_over=take_over)
    if not written:
        inventory.notes += _rewritten(key_of(workload), f"{namespace}/{place.config_map}", text)
    upstreams = (address for block in blocks for address in block.upstreams)
    yield ResolverConfig(
        namespace=namespace,
        mode="hosts" if written else "corefile",
        config_map=place.config_map,
        key=place.key,
        service=service["metadata"]["name"],
        domains=tuple(dict.fromkeys(domain for block in blocks for domain in block.domains)),
        take_over=take_over,
        upstreams=tuple(dict.fromkeys(upstreams)) or PUBLIC,
        device=_device(inventory, service),
    )


def _rewritten(workload: str, config_map: str, text: str) -> Iterator[str]:
    """Yield what a person should know before a Corefile is rewritten."""
    blocks = server_blocks(text)
    if any(not block.domains for block in blocks):
        yield f"ConfigMap {config_map}: a take-over keeps no other block"
    if not any(block.plugin("reload") is not None for block in blocks):
        yield f"ConfigMap {config_map} has no reload: restart {workload} after the take-over"


def _device(inventory: Inventory, service: Mapping[str, Any]) -> DeviceName:
    """Return what the operator will call the Service's device: by default, namespace and name."""
    default = DeviceName(key_of(service).replace("/", "-"), default_tags(inventory).split(",")[0])
    return derive_device(inventory, service) or default


def _note_others(inventory: Inventory, namespace: str, config_map: str, *, take_over: bool) -> None:
    then = "it will be suspended" if take_over else "the resolver is held until take_over is true"
    for writer in config_map_writers(inventory.by_kind, namespace, config_map):
        when = f" ({writer.schedule})" if writer.schedule else ""
        what = f"{writer}{when} writes ConfigMap {namespace}/{config_map}, as {writer.why}"
        inventory.notes.append(f"{what}: {then}")


def _is_coredns(pod: Mapping[str, Any]) -> bool:
    images = (container.get("image", "") for container in pod["spec"].get("containers") or ())
    return any("coredns" in image.rpartition("/")[2] for image in images)


def _service(
    inventory: Inventory, workload: Mapping[str, Any], pod: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    labels = ((pod.get("metadata") or {}).get("labels") or {}).items()
    for service in inventory.by_kind["Service"]:
        selector = (service.get("spec") or {}).get("selector") or {}
        same = namespace_of(service) == namespace_of(workload)
        if same and selector and selector.items() <= labels and reaches_tailnet(service):
            return service
    return None


def _corefile(
    inventory: Inventory, namespace: str, pod: Mapping[str, Any]
) -> tuple[Mounted | None, str]:
    """Return where the pod's Corefile comes from, and its text."""
    for volume in pod["spec"].get("volumes") or ():
        name = (volume.get("configMap") or {}).get("name", "")
        data = (inventory.find("ConfigMap", namespace, name) or {}).get("data") or {}
        for key, text in data.items():
            if "corefile" in key.lower():
                return Mounted(name, key), text
    return None, ""


def _hosts_file(block: ServerBlock, pod: Mapping[str, Any]) -> Mounted | None:
    """Return the ConfigMap behind the hosts file that a block names, where it names one."""
    words = block.plugin("hosts") or ()
    if not words or not words[0].startswith("/"):
        return None
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    containers = pod["spec"].get("containers") or ()
    mounts = (mount for container in containers for mount in container.get("volumeMounts") or ())
    # A mount below another one hides what is there.
    for mount in sorted(mounts, key=lambda mount: len(mount["mountPath"]), reverse=True):
        source = volumes.get(mount["name"], {}).get("configMap")
        if source and (key := _key(PurePosixPath(words[0]), mount, source)):
            return Mounted(source["name"], key)
    return None


def _key(path: PurePosixPath, mount: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """Return the key of a ConfigMap volume that a path in the container shows, or ""."""
    if mount.get("subPath"):
        return str(mount["subPath"]) if str(path) == mount["mountPath"] else ""
    if not path.is_relative_to(mount["mountPath"]):
        return ""
    inside = str(path.relative_to(mount["mountPath"]))
    keys = {item["path"]: item["key"] for item in source.get("items") or ()}
    return str(keys.get(inside, "" if keys or "/" in inside else inside))
