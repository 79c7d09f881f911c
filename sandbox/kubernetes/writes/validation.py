"""What the core kinds refuse beyond missing fields, and what may never change."""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import Cause, bad_request
from sandbox.kubernetes.kinds.decode import shortcomings
from sandbox.kubernetes.storage.selectors import matches_label_selector
from sandbox.kubernetes.writes.gateway_rules import hostname_causes
from sandbox.kubernetes.writes.metadata import metadata_causes


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]

_DATA_LIMIT = 1024 * 1024
_BASE64 = string.ascii_letters + string.digits + "+/"
_DATA_KEY = r"[-._a-zA-Z0-9]+"


def causes_of(resource: Resource, document: Document, live: Document | None) -> list[Cause]:
    """Return all that is wrong with an object that is about to replace `live` (None: to be new)."""
    rule = _RULES.get(resource.kind) if not resource.custom else None
    causes = [*metadata_causes(resource, document), *shortcomings(resource.schema, document)]
    # the rules index into required fields, so those come first
    if causes:
        return causes
    return rule(document, live) if rule else hostname_causes(resource, document)


def check_encoding(resource: Resource, document: Document) -> None:
    """Refuse a Secret or ConfigMap whose binary data is not base64, as decoding does (400)."""
    member = {"Secret": "data", "ConfigMap": "binaryData"}.get(resource.kind)
    for value in ((document.get(member) if member else None) or {}).values():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            at = len(value) - len(value.lstrip(_BASE64))
            raise bad_request(
                f'{resource.kind} in version "v1" cannot be handled as a {resource.kind}: '
                f"illegal base64 data at input byte {at}"
            ) from None


def _config_map(document: Document, live: Document | None) -> list[Cause]:
    binary = document.get("binaryData") or {}
    both = [
        Cause.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        for key in document.get("data") or {}
        if key in binary
    ]
    members = ("data", "binaryData")
    return both + _data_causes(document, members) + _frozen(document, live, members)


def _secret(document: Document, live: Document | None) -> list[Cause]:
    causes = _data_causes(document, ("data",)) + _frozen(document, live, ("data",))
    if live and live.get("type") != document.get("type"):
        causes.append(Cause.invalid("type", document.get("type"), "field is immutable"))
    return causes


def _data_causes(document: Document, members: tuple[str, ...]) -> list[Cause]:
    causes, size = [], 0
    for member in members:
        for key, value in (document.get(member) or {}).items():
            size += len(value)
            if not re.fullmatch(_DATA_KEY, key):
                causes.append(Cause.invalid(f"{member}[{key}]", key, _KEY_RULE))
    if size > _DATA_LIMIT:
        told = f"Too long: may not be more than {_DATA_LIMIT} bytes"
        causes.append(Cause("FieldValueTooLong", told, "[]"))
    return causes


_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    f"'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_DATA_KEY}')"
)


def _frozen(document: Document, live: Document | None, members: tuple[str, ...]) -> list[Cause]:
    if not live or not live.get("immutable"):
        return []
    told = "field is immutable when `immutable` is set"
    changed = [m for m in members if document.get(m) != live.get(m)]
    changed += [] if document.get("immutable") else ["immutable"]
    return [Cause.forbidden(member, told) for member in changed]


def _service(document: Document, live: Document | None) -> list[Cause]:
    spec = document["spec"]
    causes = [
        Cause.invalid(
            f"spec.ports[{i}].port", port["port"], "must be between 1 and 65535, inclusive"
        )
        for i, port in enumerate(spec.get("ports") or ())
        if not 1 <= port["port"] <= 65535
    ]
    needs_ports = spec["type"] != "ExternalName" and spec.get("clusterIP") != "None"
    if needs_ports and not spec.get("ports"):
        causes.append(Cause.required("spec.ports"))
    return causes + _service_changes(spec, (live or {}).get("spec") or {})


def _service_changes(spec: Document, live: Document) -> list[Cause]:
    causes = []
    if live.get("clusterIP") and spec.get("clusterIP") != live["clusterIP"]:
        told = f"Invalid value: {json.dumps([spec.get('clusterIP')])}: may not change once set"
        causes.append(Cause("FieldValueInvalid", told, "spec.clusterIPs[0]"))
    load_balanced = spec["type"] == live.get("type") == "LoadBalancer"
    if load_balanced and spec.get("loadBalancerClass") != live.get("loadBalancerClass"):
        path, value = "spec.loadBalancerClass", spec.get("loadBalancerClass")
        causes.append(Cause.invalid(path, value, "may not change once set"))
    return causes


def _workload(document: Document, live: Document | None) -> list[Cause]:
    spec = document["spec"]
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels") or {}
    causes = []
    if live and spec["selector"] != live["spec"]["selector"]:
        causes.append(Cause.invalid("spec.selector", spec["selector"], "field is immutable"))
    if not matches_label_selector(spec["selector"], labels):
        path = "spec.template.metadata.labels"
        causes.append(Cause.invalid(path, labels, "`selector` does not match template `labels`"))
    if spec.get("replicas", 0) < 0:
        told = "must be greater than or equal to 0"
        causes.append(Cause.invalid("spec.replicas", spec["replicas"], told))
    return causes


def _cron_job(document: Document, _: Document | None) -> list[Cause]:
    schedule = document["spec"]["schedule"]
    fields = schedule.split()
    if schedule.startswith("@") or len(fields) == 5:
        return []
    told = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    return [Cause.invalid("spec.schedule", schedule, told)]


def _binding(document: Document, live: Document | None) -> list[Cause]:
    if not live or document["roleRef"] == live["roleRef"]:
        return []
    return [Cause.invalid("roleRef", document["roleRef"], "cannot change roleRef")]


_RULES: dict[str, Callable[[Document, Document | None], list[Cause]]] = {
    "ConfigMap": _config_map,
    "Secret": _secret,
    "Service": _service,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "CronJob": _cron_job,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
