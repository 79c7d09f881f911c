"""Flux's notification-controller: "the cluster has applied it", as its generic-hmac provider says.

Pure, and imported by the receiver, which must stay light. Rules: fluxcd.io/flux/components/
notification/providers: `X-Signature: sha256=<hex>` over the body, a JSON event.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from tailkeeper.webhooks.untrusted import at, moment, name, read_json, text, word


SIGNATURE_HEADER = "x-signature"
APPLIERS = ("Kustomization", "HelmRelease")
INVOLVED = "involvedObject"


class Applied(NamedTuple):
    """A revision of a Kustomization or HelmRelease that the cluster has applied.

    `id` is the SHA-256 of the body, which carries its time; `ref` is
    `<kind>/<namespace>/<name> <revision>`.
    """

    id: str
    at: str
    by: str
    ref: str


def parse(body: bytes) -> Applied | str:
    """Return what was applied, or why the event says no such thing; raise ValueError for poison."""
    event = read_json(body)
    kind, severity = word(event, INVOLVED, "kind"), text(event, "severity")
    if kind not in APPLIERS:
        return f"{kind} applies nothing"
    place = f"{kind}/{word(event, INVOLVED, 'namespace')}/{word(event, INVOLVED, 'name')}"
    if severity != "info":
        return f"{place} failed: {name(event, ('reason',))}"
    key = revision_key(event)
    if not key:
        return f"{place} without a revision"
    return Applied(
        sha256(body).hexdigest(),
        moment(event, "timestamp"),
        name(event, ("reportingController",)) or "flux",
        f"{place} {word(event, 'metadata', key)}",
    )


def revision_key(event: Any) -> str:
    """Return the metadata's key of the revision, with the API group before it or without."""
    metadata = at(event, "metadata")
    keys = metadata if isinstance(metadata, dict) else ()
    return next((key for key in keys if key.rpartition("/")[2] == "revision"), "")
