"""The printed columns of the core kinds, filled as the real server fills them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

Document = dict[str, Any]
Cells = list[Any]

_SHOWN_LENGTH = 16


class Since(str):
    """A cell that is a time, and is printed as how long ago it was."""

    __slots__ = ()


def age(born: str, now: float) -> str:
    """Return how long ago an RFC 3339 time was, in kubectl's short form; "<unknown>" without."""
    try:
        seconds = int(now - datetime.fromisoformat(born).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return "<unknown>"
    return duration(max(0, seconds))


def duration(seconds: int) -> str:
    """Return a duration as kubectl prints ages: 59s, 5m30s, 3h, 2d4h, 40d."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return _two(days, "d", hours % 24, "h") if days < 8 else f"{days}d"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def _service(d: Document) -> Cells:
    spec = d.get("spec") or {}
    return [
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or "<none>",
        _external_address(d, spec),
        ",".join(_port(port) for port in spec.get("ports") or ()) or "<none>",
    ]


def _port(port: Document) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _external_address(d: Document, spec: Document) -> str:
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or "<none>"
    fixed = spec.get("externalIPs") or []
    if spec.get("type") == "LoadBalancer":
        return ",".join(_balancer(d) + fixed) or "<pending>"
    return ",".join(fixed) or "<none>"


def _balancer(d: Document) -> list[str]:
    status = d.get("status") or {}
    entries = (status.get("loadBalancer") or {}).get("ingress") or ()
    return [entry.get("ip") or entry.get("hostname", "") for entry in entries]


def _ingress(d: Document) -> Cells:
    spec = d.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        spec.get("ingressClassName") or "<none>",
        ",".join(hosts) or "*",
        ",".join(_balancer(d)),
        "80, 443" if spec.get("tls") else "80",
    ]


def _counts(d: Document) -> tuple[Document, Document]:
    return d.get("spec") or {}, d.get("status") or {}


def _deployment(d: Document) -> Cells:
    spec, status = _counts(d)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [ready, status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]


def _stateful_set(d: Document) -> Cells:
    spec, status = _counts(d)
    return [f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"]


def _replica_set(d: Document) -> Cells:
    spec, status = _counts(d)
    return [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]


def _cron_job(d: Document) -> Cells:
    spec, status = _counts(d)
    last = status.get("lastScheduleTime")
    return [
        spec.get("schedule", ""),
        spec.get("timeZone") or "<none>",
        str(spec.get("suspend", False)),
        len(status.get("active") or ()),
        Since(last) if last else "<none>",
    ]


def _pod(d: Document) -> Cells:
    spec, status = _counts(d)
    states = status.get("containerStatuses") or []
    ready = sum(1 for state in states if state.get("ready"))
    restarts = sum(state.get("restartCount", 0) for state in states)
    phase = (
        "Terminating" if "deletionTimestamp" in d["metadata"] else status.get("phase", "Pending")
    )
    return [f"{ready}/{len(spec.get('containers') or ())}", phase, str(restarts)]


def _namespace(d: Document) -> Cells:
    return [(d.get("status") or {}).get("phase", "Active")]


def _config_map(d: Document) -> Cells:
    return [len(d.get("data") or ()) + len(d.get("binaryData") or ())]


def _secret(d: Document) -> Cells:
    return [d.get("type", ""), len(d.get("data") or ())]


def _service_account(d: Document) -> Cells:
    return [len(d.get("secrets") or ())]


def _binding(d: Document) -> Cells:
    return [f"{d['roleRef']['kind']}/{d['roleRef']['name']}"]


CORE_COLUMNS: dict[str, tuple[tuple[str, ...], Callable[[Document], Cells]]] = {
    "ConfigMap": (("Data",), _config_map),
    "CronJob": (("Schedule", "Timezone", "Suspend", "Active", "Last Schedule"), _cron_job),
    "ClusterRoleBinding": (("Role",), _binding),
    "Deployment": (("Ready", "Up-to-date", "Available"), _deployment),
    "Ingress": (("Class", "Hosts", "Address", "Ports"), _ingress),
    "Namespace": (("Status",), _namespace),
    "Pod": (("Ready", "Status", "Restarts"), _pod),
    "ReplicaSet": (("Desired", "Current", "Ready"), _replica_set),
    "RoleBinding": (("Role",), _binding),
    "Secret": (("Type", "Data"), _secret),
    "Service": (("Type", "Cluster-IP", "External-IP", "Port(s)"), _service),
    "ServiceAccount": (("Secrets",), _service_account),
    "StatefulSet": (("Ready",), _stateful_set),
}
