"""What the Gateway API's definitions refuse by pattern: hostnames that are none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import Cause


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kubernetes.kinds.resource import Resource

GROUP = "gateway.networking.k8s.io"
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
HOSTNAME = rf"^(\*\.)?{_LABEL}(\.{_LABEL})*$"
_LONGEST = 253


def hostname_causes(resource: Resource, document: dict[str, Any]) -> list[Cause]:
    """Return the hostnames of a Gateway or route that the API does not take."""
    if resource.group != GROUP:
        return []
    return [
        Cause.invalid(path, name, f"{path} in body should match '{HOSTNAME}'")
        for path, name in _hostnames(document.get("spec") or {})
        if len(name) > _LONGEST or not re.fullmatch(HOSTNAME, name)
    ]


def _hostnames(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(spec.get("hostnames") or ()):
        yield f"spec.hostnames[{place}]", name
    for place, listener in enumerate(spec.get("listeners") or ()):
        if listener.get("hostname") is not None:
            yield f"spec.listeners[{place}].hostname", listener["hostname"]
