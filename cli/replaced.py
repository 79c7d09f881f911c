"""Outside parts that take the place of our stand-ins, and the credentials for them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import yaml

from cli.kubeconfig import flattened
from cli.problems import Misuse


if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from pathlib import Path

CLIENT_ID, CLIENT_SECRET = "TAILSCALE_OAUTH_CLIENT_ID", "TAILSCALE_OAUTH_CLIENT_SECRET"
API_KEY, API_TOKEN, GIT_TOKEN = "TAILSCALE_API_KEY", "CLOUDFLARE_API_TOKEN", "GIT_TOKEN"


@dataclass(frozen=True)
class Replaced:
    """What is somebody else's; an empty value is ours. Addresses are `host:port`."""

    tailscale_url: str = ""
    cloudflare_url: str = ""
    kubeconfig: Path | None = None
    kubeconfig_text: str = ""
    socks5: str = ""
    public_dns: str = ""
    tailscale_secret: Mapping[str, str] = field(default_factory=dict)
    cloudflare_token: str = ""
    git_url: str = ""
    git_token: str = ""

    @classmethod
    def of(cls, options: Namespace) -> Self:
        """Read the options and the environment; raise Misuse when a credential is of no use."""
        return cls(
            tailscale_url=_base(options.tailscale_url, "/api/v2"),
            cloudflare_url=_base(options.cloudflare_url, "/client/v4"),
            kubeconfig=_file(options.kubeconfig),
            kubeconfig_text=flattened(options.kubeconfig) if options.kubeconfig else "",
            socks5=_address(options.socks5, "--socks5"),
            public_dns=_address(options.public_dns, "--public-dns"),
            tailscale_secret=_tailscale_secret() if options.tailscale_url else {},
            cloudflare_token=_needed(API_TOKEN, "cloudflare") if options.cloudflare_url else "",
            git_url=_base(options.git_url, ""),
            git_token=_needed(GIT_TOKEN, "git") if options.git_url else "",
        )

    def for_world(self) -> dict[str, Any]:
        """Return what the rest of the world must know of it."""
        return {
            "tailscale_url": self.tailscale_url,
            "cloudflare_url": self.cloudflare_url,
            "kubeconfig": str(self.kubeconfig or ""),
            "git_url": self.git_url,
        }

    def laid_over(self, world: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a world says of itself, with what is somebody else's in its place."""
        found = dict(world)
        if self.tailscale_url:
            domain = {"magic_dns_domain": world["tailscale"]["magic_dns_domain"]}
            secret = self.tailscale_secret
            found["tailscale"] = {**_elsewhere(self.tailscale_url), **domain, **secret}
        if self.cloudflare_url:
            credential = {"api_token": self.cloudflare_token}
            found["cloudflare"] = {**_elsewhere(self.cloudflare_url), **credential}
        if self.kubeconfig:
            server = yaml.safe_load(self.kubeconfig_text)["clusters"][0]["cluster"]["server"]
            found["kubernetes"] = {**_elsewhere(server), "kubeconfig": str(self.kubeconfig)}
        if self.git_url:
            found["git"] = {**_elsewhere(self.git_url), "token": self.git_token}
        if self.public_dns:
            found["dns"] = {**world["dns"], "public": self.public_dns}
        return {**found, "socks5": self.socks5 or world["socks5"]}


def _elsewhere(base_url: str) -> dict[str, str]:
    return {"base_url": base_url, "admin_url": ""}


def _base(url: str | None, api: str) -> str:
    """Return the URL without the API's own base path, which people may give or not."""
    text = (url or "").rstrip("/").removesuffix(api)
    if text and not text.startswith(("http://", "https://")):
        raise Misuse(f"{url} is not a URL: begin it with http:// or https://")
    return text


def _address(text: str | None, option: str) -> str:
    address = (text or "").rpartition("//")[2]
    if address and not address.rpartition(":")[2].isdigit():
        raise Misuse(f"{option} {text}: give host:port")
    return address


def _file(path: Path | None) -> Path | None:
    if path and not path.is_file():
        raise Misuse(f"--kubeconfig {path}: there is no such file")
    return path.resolve() if path else None


def _tailscale_secret() -> dict[str, str]:
    if key := os.environ.get(API_KEY):
        return {"api_key": key}
    return {
        "client_id": _needed(CLIENT_ID, "tailscale", f", or {API_KEY}"),
        "client_secret": _needed(CLIENT_SECRET, "tailscale", f", or {API_KEY}"),
    }


def _needed(variable: str, name: str, instead: str = "") -> str:
    if not os.environ.get(variable):
        raise Misuse(f"--{name}-url needs a credential: set {variable}{instead}")
    return os.environ[variable]
