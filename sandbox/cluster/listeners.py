"""A Gateway's listeners, judged one by one: protocol, conflicts, certificates."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.cluster.attachment import GROUP, Verdict
from sandbox.cluster.frontends import Certificate


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Object = Mapping[str, Any]
    Secrets = Callable[[str, str], Object | None]

ACCEPTED = Verdict(True, "Accepted", "Listener has been successfully translated")
RESOLVED = Verdict(True, "ResolvedRefs", "Listener references have been resolved")


@dataclass(frozen=True)
class Listener:
    """One listener and what came of it; `certificate` only for HTTPS that resolved."""

    spec: Mapping[str, Any]
    accepted: Verdict
    resolved: Verdict = RESOLVED
    certificate: Certificate | None = None

    @property
    def works(self) -> bool:
        """Whether it can be served."""
        return self.accepted.true and self.resolved.true


def judge(gateway: Object, secrets: Secrets, grants: Sequence[Object]) -> list[Listener]:
    """Return each listener of the Gateway with its verdicts."""
    found: list[Listener] = []
    for spec in gateway["spec"]["listeners"]:
        accepted = _accepted(spec, [other.spec for other in found])
        if accepted.true and spec["protocol"] == "HTTPS":
            found.append(_with_certificate(spec, gateway, secrets, grants))
        else:
            found.append(Listener(spec, accepted))
    return found


def _accepted(spec: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> Verdict:
    if spec["protocol"] not in {"HTTP", "HTTPS"}:
        return Verdict(
            False, "UnsupportedProtocol", f"Protocol {spec['protocol']} is not emulated here."
        )
    neighbours = [other for other in earlier if other["port"] == spec["port"]]
    if any(other["protocol"] != spec["protocol"] for other in neighbours):
        return Verdict(
            False, "ProtocolConflict", "All listeners for a given port must use the same protocol"
        )
    if any(other.get("hostname") == spec.get("hostname") for other in neighbours):
        return Verdict(
            False, "HostnameConflict", "All listeners for a given port must use a unique hostname"
        )
    return ACCEPTED


def _with_certificate(
    spec: Mapping[str, Any], gateway: Object, secrets: Secrets, grants: Sequence[Object]
) -> Listener:
    tls = spec.get("tls") or {}
    refs = tls.get("certificateRefs") or []
    if tls.get("mode", "Terminate") != "Terminate" or not refs:
        return Listener(
            spec, ACCEPTED, _unresolved("Listener must have TLS termination and a certificate")
        )
    home = gateway["metadata"]["namespace"]
    namespace, name = refs[0].get("namespace") or home, refs[0]["name"]
    if namespace != home and not any(_grants(grant, home, namespace, name) for grant in grants):
        sentence = f"Certificate ref to secret {namespace}/{name} not permitted by any grant."
        return Listener(spec, ACCEPTED, Verdict(False, "RefNotPermitted", sentence))
    certificate = certificate_in(secrets(namespace, name))
    if certificate is None:
        return Listener(
            spec, ACCEPTED, _unresolved(f"Secret {namespace}/{name} does not hold a certificate.")
        )
    return Listener(spec, ACCEPTED, RESOLVED, certificate)


def _unresolved(sentence: str) -> Verdict:
    return Verdict(False, "InvalidCertificateRef", sentence)


def certificate_in(secret: Object | None) -> Certificate | None:
    """Return what a TLS Secret holds, or None."""
    data = (secret or {}).get("data") or {}
    try:
        chain, key = (base64.b64decode(data[field]).decode() for field in ("tls.crt", "tls.key"))
    except (KeyError, ValueError):
        return None
    return Certificate(chain, key) if "BEGIN" in chain and "BEGIN" in key else None


def _grants(grant: Object, home: str, namespace: str, name: str) -> bool:
    spec = grant["spec"]
    return bool(
        grant["metadata"]["namespace"] == namespace
        and any(
            f["group"] == GROUP and f["kind"] == "Gateway" and f["namespace"] == home
            for f in spec["from"]
        )
        and any(t["kind"] == "Secret" and t.get("name", name) == name for t in spec["to"])
    )
