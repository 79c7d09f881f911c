"""Exposures of what the Tailscale operator carries by itself, and of nothing else of these kinds.

Each has its MagicDNS name, which is the tailnet's own and is never written. By ExternalDNS's
annotations, and an Ingress by its rules, it asks for names in zones as well. The same names of a
Service or Ingress that the tailnet does not carry are somebody else's business: they are kept.
Rules: ExternalDNS, docs/sources/service.md and ingress.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import GATEWAY_NAME, OWNING
from tailkeeper.carriers.operated import READERS, annotations_of, leads_out
from tailkeeper.carriers.operated_evidence import magic_name
from tailkeeper.hostnames import canonical
from tailkeeper.model import Exposure
from tailkeeper.sources.annotations import Annotations
from tailkeeper.sources.reports import Report
from tailkeeper.sources.surroundings import key_of
from tailkeeper.sources.views import views_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.carriers.operated import Operated
    from tailkeeper.sources.surroundings import Surroundings

    Object = Mapping[str, Any]

KINDS = tuple(READERS)


def read_operated(
    kind: str, document: Object, around: Surroundings
) -> Iterator[Exposure | Report | Operated]:
    """Yield an object of a kind as the operator carries it, its exposures, and reports."""
    item = READERS[kind](document)
    said = Annotations(annotations_of(document))
    asked = _asked(kind, document, said)
    hosts = tuple(sorted(h for h in filter(None, map(canonical, asked)) if around.answers(h)))
    if item is None:
        if hosts:
            yield _left_alone(kind, document, hosts)
        return
    yield item
    for complaint in (*_bad_names(asked), *said.complaints(target=True)):
        yield Report(item.key, complaint)
    yield from _named(item, hosts, said, around)
    if not _is_aside(document, around):
        yield from _by_magic_name(item, around)


def _left_alone(kind: str, document: Object, hosts: tuple[str, ...]) -> Report:
    source = f"{kind.lower()}/{key_of(document)}"
    if leads_out(document):
        return Report(source, "it leads out of the cluster, so it exposes nothing", hosts)
    why = "the tailnet does not carry it: its names stay"
    return Report(source, why, hosts, kept=True, told=False)


def _asked(kind: str, document: Object, said: Annotations) -> tuple[str, ...]:
    """Return the names that ExternalDNS would publish for an object."""
    annotated = said.listed("hostname")
    if kind != "Ingress":
        return annotated
    spec = document.get("spec") or {}
    own = (
        *(rule.get("host") or "" for rule in spec.get("rules") or ()),
        *(host for entry in spec.get("tls") or () for host in entry.get("hosts") or ()),
    )
    match said.hostname_source("ingress"):
        case "annotation-only":
            return annotated
        case "defined-hosts-only":
            return own
    return own + annotated


def _bad_names(asked: tuple[str, ...]) -> Iterator[str]:
    for name in asked:
        if name and canonical(name) is None:
            yield f"{name!r} is no DNS name"


def _named(
    item: Operated, hosts: tuple[str, ...], said: Annotations, around: Surroundings
) -> Iterator[Exposure | Report]:
    """Yield the exposures by the names that were asked for, at each of the ports."""
    if said.elsewhere and hosts:
        yield Report(item.key, f"its records are left to the controller {said.elsewhere}")
    if item.kind != "service" and hosts:
        why = "its proxy has a certificate for its MagicDNS name only, so HTTPS fails by others"
        yield Report(item.key, why, hosts)
    for host in dict.fromkeys(hosts):
        views, published = views_of(host, said, around)
        for port, protocol in item.ports:
            yield Exposure(
                host=host,
                source=item.key,
                cluster=around.cluster,
                gateway=item.key,
                views=views,
                port=port,
                protocol=protocol,
                target=",".join(said.listed("target")) or None,
                ttl=said.ttl,
                proxied=said.proxied,
                published=published,
                answer=said.answer,
                comment=said.comment,
                tags=said.tags,
            )


def _is_aside(document: Object, around: Surroundings) -> bool:
    """Say whether an object only carries a Gateway or a resolver, which are looked at as such."""
    labels = document["metadata"].get("labels") or {}
    made_for_gateway = labels.keys() & {f"{OWNING}-name", GATEWAY_NAME}
    return bool(made_for_gateway) or key_of(document) in around.aside


def _by_magic_name(item: Operated, around: Surroundings) -> Iterator[Exposure | Report]:
    name = magic_name(item, around.secrets)
    if not name:
        yield Report(item.key, "the operator has not given it a name in the tailnet yet")
    for port, protocol in item.ports if name else ():
        yield Exposure(
            host=name,
            source=item.key,
            cluster=around.cluster,
            gateway=item.key,
            views=("public", "tailnet") if item.funnel else ("tailnet",),
            port=port,
            # A Service's certificate, if it has one, is not for a name of the tailnet.
            protocol="tcp" if (item.kind, protocol) == ("service", "https") else protocol,
            published=False,
        )
