"""ExternalDNS's settings, wherever they stand: a chart's values or a Deployment's arguments.

Both are brought to the command's flags first (`txt-owner-id`, `domain-filter`, …), by the names
of the kubernetes-sigs chart, which bitnami's shares where it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.config import ZoneConfig
from tailkeeper.derive.inventory import Inventory, key_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHART = "external-dns"
FLAGS = {
    "provider": "provider",
    "sources": "source",
    "domainFilters": "domain-filter",
    "annotationFilter": "annotation-filter",
    "policy": "policy",
    "registry": "registry",
    "txtOwnerId": "txt-owner-id",
    "txtPrefix": "txt-prefix",
    "txtSuffix": "txt-suffix",
    "labelFilter": "label-filter",
    "excludeDomains": "exclude-domains",
    "regexDomainFilter": "regex-domain-filter",
}
NOT_FOLLOWED = (
    "annotation-prefix",
    "exclude-domains",
    "fqdn-template",
    "gateway-label-filter",
    "gateway-name",
    "gateway-namespace",
    "ignore-hostname-annotation",
    "label-filter",
    "namespace",
    "regex-domain-filter",
    "txt-encrypt-enabled",
)
READ = frozenset(
    {
        "gateway-grpcroute",
        "gateway-httproute",
        "gateway-tcproute",
        "gateway-tlsroute",
        "gateway-udproute",
        "ingress",
        "service",
    }
)
CARRIED = frozenset({"ingress", "service"})
POLICIES = ("sync", "upsert-only", "create-only")


@dataclass(frozen=True, slots=True)
class Settings:
    """One ExternalDNS: who says so, and its flags, each with all its values."""

    source: str
    flags: Mapping[str, tuple[str, ...]]

    def one(self, flag: str, default: str = "") -> str:
        """Return a flag's last value."""
        return self.flags.get(flag, (default,))[-1]


def derive_zones(
    inventory: Inventory, *, target: str, served: Iterable[str], take_over: bool
) -> Iterator[ZoneConfig]:
    """Yield a zone for each domain that an ExternalDNS for Cloudflare keeps.

    `served` are domains that listeners serve: the guess where there is no domain filter.
    """
    seen: dict[str, str] = {}
    for settings in _all(inventory):
        if settings.one("provider") != "cloudflare":
            provider = settings.one("provider", "not named")
            note = f"{settings.source} is left out: its provider is {provider}"
            inventory.notes.append(note)
            continue
        inventory.notes += _notes(settings)
        for name in _domains(inventory, settings, served):
            if name in seen:
                note = f"{settings.source} keeps {name} too; {seen[name]} was taken"
                inventory.notes.append(note)
                continue
            seen[name] = settings.source
            yield _zone(name, settings, target=target, take_over=take_over)
    if not seen:
        note = "no ExternalDNS for Cloudflare was found, so no zone is kept: add one under zones"
        inventory.notes.append(note)


def _zone(name: str, settings: Settings, *, target: str, take_over: bool) -> ZoneConfig:
    return ZoneConfig(
        name=name,
        owner=settings.one("txt-owner-id", "default"),
        target=target,
        policy=settings.one("policy", "sync"),
        annotation_filter=settings.one("annotation-filter"),
        take_over=take_over,
        proxied=settings.one("cloudflare-proxied") == "true",
        txt_prefix=settings.one("txt-prefix"),
        txt_suffix=settings.one("txt-suffix"),
        txt_wildcard=settings.one("txt-wildcard-replacement"),
    )


def _domains(inventory: Inventory, settings: Settings, served: Iterable[str]) -> tuple[str, ...]:
    filters = settings.flags.get("domain-filter", ())
    if named := tuple(dict.fromkeys(name.strip(".").lower() for name in filters if name)):
        return named
    guessed = tuple(dict.fromkeys(served))
    note = f"{settings.source} has no domain filter; from the listeners: {', '.join(guessed)}"
    inventory.notes.append(note)
    return guessed


def _notes(settings: Settings) -> Iterator[str]:
    owner = settings.one("txt-owner-id", "default")
    yield f"{settings.source} runs ExternalDNS as owner {owner}: only one of the two may write"
    for flag in NOT_FOLLOWED:
        if settings.one(flag) not in {"", "false"}:
            yield f"{settings.source}: --{flag} is not followed"
    if (registry := settings.one("registry", "txt")) != "txt":
        yield f"{settings.source}: registry {registry} leaves no marks, so its records are foreign"
    sources = set(settings.flags.get("source", ()))
    if unread := sorted(sources - READ):
        yield f"{settings.source}: names from {', '.join(unread)} are not read"
    for kind in sorted(sources & CARRIED):
        yield f"{settings.source}: each {kind} that the tailnet does not carry keeps its records"


def _all(inventory: Inventory) -> Iterator[Settings]:
    for chart in inventory.charts(CHART):
        yield Settings(chart.source, _from_values(chart.values))
    for deployment in inventory.by_kind["Deployment"]:
        for container in deployment["spec"]["template"]["spec"].get("containers") or ():
            image = container.get("image", "").rpartition("/")[2]
            if image.startswith(CHART):
                flags = {**_from_environment(container), **_from_arguments(container)}
                yield Settings(f"Deployment {key_of(deployment)}", flags)


def _from_values(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    flags: dict[str, tuple[str, ...]] = {"policy": ("upsert-only",)}  # the chart's own default
    for key, flag in FLAGS.items():
        if (value := values.get(key)) not in (None, "", []):
            flags[flag] = _texts(value)
    if (values.get("cloudflare") or {}).get("proxied"):
        flags["cloudflare-proxied"] = ("true",)
    extra = values.get("extraArgs") or []
    if isinstance(extra, dict):
        extra = [f"--{flag}={text}" for flag, value in extra.items() for text in _texts(value)]
    return {**flags, **_flags(extra)}


def _texts(value: Any) -> tuple[str, ...]:
    """Return a chart value as a flag's values; `provider` may be a mapping with a name."""
    if isinstance(value, dict):
        return (str(value.get("name", "")),)
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def _from_arguments(container: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return _flags([*(container.get("command") or ()), *(container.get("args") or ())])


def _from_environment(container: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    prefix = "EXTERNAL_DNS_"
    return {
        item["name"].removeprefix(prefix).lower().replace("_", "-"): tuple(item["value"].split())
        for item in container.get("env") or ()
        if item["name"].startswith(prefix) and item.get("value")
    }


def _flags(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read `--flag=value`, `--flag value` and `--flag`, each as often as it comes."""
    flags: dict[str, tuple[str, ...]] = {}
    waiting = ""
    for word in map(str, words):
        if not word.startswith("--"):
            if waiting:
                flags[waiting] = (*flags[waiting][:-1], word)
            waiting = ""
            continue
        flag, equals, value = word.removeprefix("--").partition("=")
        flags[flag] = (*flags.get(flag, ()), value if equals else "true")
        waiting = "" if equals else flag
    return flags
