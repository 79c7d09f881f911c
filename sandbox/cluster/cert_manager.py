"""cert-manager, and Let's Encrypt behind it: a TLS Secret for each Certificate."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from sandbox.cluster.api import write_status
from sandbox.cluster.certificates import is_name
from sandbox.cluster.conditions import condition, merged, stamp
from sandbox.cluster.listeners import certificate_in
from sandbox.cluster.loop import Loop


if TYPE_CHECKING:
    from sandbox.clock import Clock
    from sandbox.cluster.api import Api, Object
    from sandbox.cluster.certificates import Authority

MANAGER = "cert-manager-certificates"
ISSUANCE = 60.0  # seconds of the world: a DNS-01 challenge, mostly waiting for propagation
DAY = 86_400
VALID, RENEWED = 90 * DAY, 60 * DAY


class CertManager:
    """`reconcile` once before `start` gives the steady state at once."""

    def __init__(self, api: Api, authority: Authority, clock: Clock) -> None:
        self._api = api
        self._authority = authority
        self._loop = Loop(self.reconcile, clock, ISSUANCE)

    def start(self) -> None:
        """Follow the cluster's changes."""
        self._api.subscribe(self._notice)
        self._loop.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._loop.stop()

    async def reconcile(self) -> None:
        """Issue what is missing, and say what is ready."""
        for thing in self._api.list("Certificate"):
            meta, spec = thing["metadata"], thing.get("spec") or {}
            if not (names_of(spec) and spec.get("secretName")):
                continue
            secret = self._api.get("Secret", meta["namespace"], spec["secretName"])
            if certificate_in(secret) is None:
                self._api.apply(tls_secret(self._authority, meta["namespace"], spec), MANAGER)
            write_status(self._api, thing, _status(thing), MANAGER)

    def _notice(self, event: str, thing: Object) -> None:
        if thing["kind"] == "Certificate" or (thing["kind"] == "Secret" and event == "DELETED"):
            self._loop.poke()


def names_of(spec: Object) -> list[str]:
    """Return the names that a Certificate's spec asks for, without those that nobody certifies."""
    common = [spec["commonName"]] if spec.get("commonName") else []
    return list(filter(is_name, dict.fromkeys([*(spec.get("dnsNames") or []), *common])))


def tls_secret(authority: Authority, namespace: str, spec: Object) -> Object:
    """Return the Secret `secretName` with a certificate for the names of a Certificate's spec."""
    issued = authority.issue(*names_of(spec))
    fields = {"tls.crt": issued.chain, "tls.key": issued.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": spec["secretName"], "namespace": namespace},
        "data": {name: base64.b64encode(pem.encode()).decode() for name, pem in fields.items()},
    }


def _status(thing: Object) -> dict[str, Any]:
    """Return the status of a Certificate that is ready; one that was keeps its times."""
    old = thing.get("status") or {}
    now = time.time()
    ready = condition(
        "Ready",
        true=True,
        reason="Ready",
        message="Certificate is up to date and has not expired",
        generation=thing["metadata"].get("generation", 1),
    )
    fresh = {
        "notBefore": stamp(now),
        "notAfter": stamp(now + VALID),
        "renewalTime": stamp(now + RENEWED),
        "revision": 1,
    }
    return {**fresh, **old, "conditions": merged(old.get("conditions"), [ready], now)}
