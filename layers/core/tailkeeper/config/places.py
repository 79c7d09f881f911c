"""Where things are: clusters, their gateways and resolvers, and the zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.config.problems import UnfitError, address, dns_name, tag
from tailkeeper.ownership import MarkNames
from tailkeeper.selectors import Selector, SelectorError, parse_selector


if TYPE_CHECKING:
    from tailkeeper.config.reading import Section

HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class DeviceName:
    """How to know a device when the cluster cannot say: its API hostname and its tag."""

    hostname: str
    tag: str

    @classmethod
    def read(cls, section: Section) -> DeviceName | None:
        """Read the mapping under `device`, if there is one."""
        device = section.section("device")
        if not section.holds("device"):
            return None
        name = cls(
            hostname=device.text("hostname", like="gateway-envoy"),
            tag=device.text("tag", like="tag:k8s", check=tag),
        )
        device.finish()
        return name


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """A Gateway of the cluster whose traffic a tailnet device carries."""

    namespace: str
    name: str
    device: DeviceName | None = None

    @property
    def key(self) -> str:
        """Return `<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"

    @classmethod
    def read(cls, section: Section) -> GatewayConfig:
        """Read one element of `gateways`."""
        gateway = cls(
            namespace=section.text("namespace", like="tailscale"),
            name=section.text("name", like="tailscale-gateway"),
            device=DeviceName.read(section),
        )
        section.finish()
        return gateway


@dataclass(frozen=True, slots=True)
class ResolverConfig:
    """A split-horizon CoreDNS: the ConfigMap we write, and the Service the tailnet asks.

    `mode` hosts writes a hosts file that the Corefile names; corefile writes the Corefile itself,
    and then `otherwise` says what names that are no exposures get: the public answer of
    `upstreams`, or NXDOMAIN. `ttl` is in seconds.
    """

    namespace: str
    mode: str
    config_map: str
    service: str
    domains: tuple[str, ...]
    take_over: bool = False
    key: str = "hosts"
    otherwise: str = "public"
    upstreams: tuple[str, ...] = ("1.1.1.1", "1.0.0.1")
    ttl: int = 30
    device: DeviceName | None = None

    @property
    def place(self) -> str:
        """Return `<namespace>/<config_map>`, which is what we write."""
        return f"{self.namespace}/{self.config_map}"

    @classmethod
    def read(cls, section: Section) -> ResolverConfig:
        """Read one element of `resolvers`."""
        mode = section.choice("mode", ("hosts", "corefile"))
        resolver = cls(
            namespace=section.text("namespace", like="tailscale-dns"),
            mode=mode,
            config_map=section.text("config_map", like="tailkeeper-hosts"),
            service=section.text("service", like="tailscale-dns"),
            domains=section.texts("domains", like="example.com", needed=True, check=dns_name),
            take_over=section.flag("take_over", default=False),
            key=section.text("key", "Corefile" if mode == "corefile" else "hosts"),
            otherwise=section.choice("otherwise", ("public", "nxdomain"), "public"),
            upstreams=section.texts("upstreams", like="1.1.1.1", check=address)
            or ("1.1.1.1", "1.0.0.1"),
            ttl=section.whole("ttl", 30, least=1, most=HOUR),
            device=DeviceName.read(section),
        )
        section.finish()
        return resolver


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """One cluster, by the name that reports and exposures use."""

    name: str
    gateways: tuple[GatewayConfig, ...] = ()
    resolvers: tuple[ResolverConfig, ...] = ()

    @classmethod
    def read(cls, section: Section) -> ClusterConfig:
        """Read one element of `clusters`."""
        cluster = cls(
            name=section.text("name", like="homelab"),
            gateways=tuple(map(GatewayConfig.read, section.sections("gateways"))),
            resolvers=tuple(map(ResolverConfig.read, section.sections("resolvers"))),
        )
        section.finish()
        return cluster


@dataclass(frozen=True, slots=True)
class ZoneConfig:
    """A Cloudflare zone, with ExternalDNS's settings for it, by ExternalDNS's rules.

    `target` says what a Gateway's names become: a CNAME to its MagicDNS name, or its addresses.
    `ttl` is in seconds, 1 is Cloudflare's automatic one.
    """

    name: str
    owner: str
    target: str = "cname"
    policy: str = "sync"
    annotation_filter: str = ""
    take_over: bool = False
    ttl: int = 1
    proxied: bool = False
    txt_prefix: str = ""
    txt_suffix: str = ""
    txt_wildcard: str = ""

    @property
    def marks(self) -> MarkNames:
        """Return how ownership marks are named in this zone."""
        return MarkNames(self.txt_prefix, self.txt_suffix, self.txt_wildcard)

    @property
    def filter(self) -> Selector:
        """Return the annotation filter, ready to match."""
        return parse_selector(self.annotation_filter)

    @classmethod
    def read(cls, section: Section) -> ZoneConfig:
        """Read one element of `zones`."""
        zone = cls(
            name=section.text("name", like="example.com", check=dns_name),
            owner=section.text("owner", like="homelab", check=_owner),
            target=section.choice("target", ("cname", "address"), "cname"),
            policy=section.choice("policy", ("sync", "upsert-only", "create-only"), "sync"),
            annotation_filter=section.text("annotation_filter", "", check=_filter),
            take_over=section.flag("take_over", default=False),
            ttl=section.whole("ttl", 1, least=1, most=DAY),
            proxied=section.flag("proxied", default=False),
            txt_prefix=section.text("txt_prefix", ""),
            txt_suffix=section.text("txt_suffix", ""),
            txt_wildcard=section.text("txt_wildcard", ""),
        )
        if zone.txt_prefix and zone.txt_suffix:
            section.blame(("txt_suffix",), "stands beside txt_prefix", "keep one of the two")
        section.finish()
        return zone


def _filter(text: str) -> str:
    try:
        parse_selector(text)
    except SelectorError as error:
        raise UnfitError(f"is {text!r}", str(error)) from error
    return text


def _owner(text: str) -> str:
    if set(text) & set('",= '):
        raise UnfitError(f"is {text!r}", "an owner mark holds no comma, quote, = or blank")
    return text
