"""The zones of the Cloudflare account, from the manifests, and what other people keep in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.cluster.charts import charts


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Object = Mapping[str, Any]

EXPOSE = re.compile(r"[\w./-]+=[\w.-]+")
PAGES = "172.66.44.117"
WEB_SERVER, MAIL_SERVER = "192.0.2.10", "192.0.2.25"  # documentation's addresses (RFC 5737)


def zone_names(objects: Sequence[Object], given: Iterable[str]) -> list[str]:
    """Return the zones: those given, ExternalDNS's domain filters, else the listeners' domains."""
    named = [*given, *(name for flags in _external_dns(objects) for name in flags["domains"])]
    listened = [] if named else _listener_domains(objects)
    every = {name.strip(".").lower() for name in [*named, *listened] if name}
    return sorted(every, key=lambda name: (name.count("."), name))


def foreign_records(zone: str, objects: Sequence[Object]) -> list[dict[str, Any]]:
    """Return what is in the zone before anyone keeps it in step, none of it ours to touch.

    A website at the apex, mail, and a Pages site for each hostname that the cluster serves but
    does not publish: its public answer is somebody else's.
    """
    apex = {"type": "A", "name": zone, "content": WEB_SERVER, "ttl": 1}
    mail = {"type": "MX", "name": zone, "content": f"mail.{zone}", "priority": 10, "ttl": 1}
    host = {"type": "A", "name": f"mail.{zone}", "content": MAIL_SERVER, "ttl": 1}
    spf = {"type": "TXT", "name": zone, "content": '"v=spf1 mx -all"', "ttl": 1}
    sites = [
        {"type": "CNAME", "name": name, "content": pages_site(name), "ttl": 1}
        for name in unpublished(objects)
        if name.endswith(f".{zone}")
    ]
    return [apex, mail, host, spf, *sites]


def pages_site(hostname: str) -> str:
    """Return the name that Cloudflare Pages gives a project called like the hostname."""
    return f"{hostname.replace('.', '-')}.pages.dev"


def elsewhere(objects: Sequence[Object]) -> dict[str, dict[str, list[str]]]:
    """Return what the rest of the internet publishes, as the public DNS wants it."""
    return {pages_site(name): {"A": [PAGES]} for name in unpublished(objects)}


def unpublished(objects: Sequence[Object]) -> list[str]:
    """Return the routes' exact hostnames that an ExternalDNS annotation filter leaves out."""
    filters = [flags["filter"] for flags in _external_dns(objects) if flags["filter"]]
    if not filters or not all(EXPOSE.fullmatch(text) for text in filters):
        return []
    wanted = [text.split("=", 1) for text in filters]
    return sorted(
        {
            name
            for thing in objects
            if thing["kind"] == "HTTPRoute"
            and not any(_annotations(thing).get(key) == value for key, value in wanted)
            for name in thing["spec"].get("hostnames") or []
            if "*" not in name
        }
    )


def magic_dns_domain(objects: Iterable[Object], default: str) -> str:
    """Return the tailnet's domain if a target annotation names a device in it."""
    for thing in objects:
        for key, value in _annotations(thing).items():
            found = re.search(r"[\w-]+\.([\w-]+\.ts\.net)\b", str(value))
            if found and key.endswith("/target"):
                return found.group(1)
    return default


def _annotations(thing: Object) -> Mapping[str, str]:
    return thing["metadata"].get("annotations") or {}


def _external_dns(objects: Sequence[Object]) -> Iterator[dict[str, Any]]:
    """Yield the domains and the annotation filter of each ExternalDNS, chart or Deployment."""
    for chart in charts(objects):
        if chart.name == "external-dns":
            domains = chart.values.get("domainFilters")
            yield {
                "domains": [str(name) for name in domains] if isinstance(domains, list) else [],
                "filter": str(chart.values.get("annotationFilter") or ""),
            }
    for thing in objects:
        if thing["kind"] == "Deployment":
            template = (thing.get("spec") or {}).get("template") or {}
            containers = (template.get("spec") or {}).get("containers") or []
            for container in containers:
                if "/external-dns:" in container.get("image", ""):
                    args = container.get("args") or []
                    yield {
                        "domains": _values(args, "domain-filter"),
                        "filter": (_values(args, "annotation-filter") or [""])[-1],
                    }


def _values(args: Iterable[str], flag: str) -> list[str]:
    return [arg.split("=", 1)[1] for arg in args if arg.startswith(f"--{flag}=")]


def _listener_domains(objects: Iterable[Object]) -> list[str]:
    return [
        listener["hostname"].removeprefix("*.")
        for thing in objects
        if thing["kind"] == "Gateway"
        for listener in thing["spec"].get("listeners") or []
        if listener.get("hostname")
    ]
