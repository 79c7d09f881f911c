"""What a cluster says about the carrier of what the Tailscale operator carries by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tailkeeper.carriers.evidence import (
    Evidence,
    Status,
    all_unread,
    ids_in,
    load_balancer,
    read_whole,
    status_of,
    telling,
)
from tailkeeper.carriers.operated import KINDS


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.carriers.evidence import Secrets
    from tailkeeper.carriers.operated import Operated


def operated_evidence(cluster: Mapping[str, Any], item: Operated, secrets: Secrets) -> Evidence:
    """Return what the cluster says about the device of what the operator carries by itself."""
    return Evidence(
        subject=item.subject,
        node_ids=ids_in(secrets.get((item.kind, item.place), ())),
        statuses=telling([_operated_status(item)]),
        unread=all_unread(cluster, (KINDS[item.kind], "StateSecret")),
    )


def unseen_evidence(cluster: Mapping[str, Any], key: str) -> Evidence:
    """Return the evidence on `<kind>/<namespace>/<name>` where the cluster shows no such thing."""
    kind, _, place = key.partition("/")
    read_kind = KINDS[kind]
    return Evidence(
        subject=f"{read_kind} {place} that the tailnet reaches",
        absent=read_whole(cluster, read_kind),
        unread=all_unread(cluster, (read_kind,)),
    )


def magic_name(item: Operated, secrets: Secrets) -> str:
    """Return the MagicDNS name that the cluster gives something, "" where it has none yet.

    A Service that only asks to be exposed has no status: there the state Secret tells.
    """
    told = (secret.get("device_fqdn") or "" for secret in secrets.get((item.kind, item.place), ()))
    names = (*_operated_status(item).names, *told)
    return next(filter(None, (name.lower().removesuffix(".") for name in names)), "")


def _operated_status(item: Operated) -> Status:
    if item.kind != "proxygroup":
        return status_of(item.subject, load_balancer(item.document))
    host = urlsplit((item.document.get("status") or {}).get("url") or "").hostname
    return status_of(item.subject, [("Hostname", host)] if host else [])
