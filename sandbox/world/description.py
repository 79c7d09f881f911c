"""What the connection file says of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from sandbox.world.composition import World


def describe(world: World) -> dict[str, Any]:
    """Return where the parts listen and who may use them; what is replaced is named instead."""
    return {
        "tailscale": _tailscale(world),
        "cloudflare": _cloudflare(world),
        "kubernetes": _kubernetes(world),
        "git": _git(world),
        "dns": world.names.describe(),
        "socks5": f"127.0.0.1:{world.proxy.port}",
        "tls": {"ca_file": str(world.authority.ca_file)},
        "manifests": str(world.settings.manifests),
        "objects": len(world.manifests.objects),
        "notes": world.notes,
        "skipped": [{"path": s.path, "reason": s.reason} for s in world.manifests.skipped],
    }


def _tailscale(world: World) -> dict[str, str]:
    tailnet = world.tailscale
    return {
        "base_url": world.settings.replace.get("tailscale_url", tailnet.base_url),
        "admin_url": tailnet.admin_url,
        "client_id": tailnet.oauth_client_id,
        "client_secret": tailnet.oauth_client_secret,
        "magic_dns_domain": tailnet.magic_dns_domain,
    }


def _cloudflare(world: World) -> dict[str, Any]:
    account = world.cloudflare
    return {
        "base_url": world.settings.replace.get("cloudflare_url", account.base_url),
        "admin_url": account.admin_url,
        "api_token": account.api_token,
        "zones": [zone.name for zone in account.zones.values()],
    }


def _git(world: World) -> dict[str, Any]:
    """Describe the git host; a world without repositories has none."""
    host = world.git
    if host is None:
        return {}
    _, _, address = host.base_url.partition("//")
    return {
        "base_url": host.base_url,
        "admin_url": host.admin_url,
        "token": host.token,
        "clone_urls": {
            repository.name: f"http://sandbox:{host.token}@{address}/{repository.folder}"
            for repository in host.gate.state.repositories
        },
    }


def _kubernetes(world: World) -> dict[str, Any]:
    replaced = world.settings.replace.get("kubeconfig")
    return {
        "base_url": world.kubernetes.base_url,
        "admin_url": world.kubernetes.admin_url,
        **({"kubeconfig": replaced} if replaced else world.kubeconfigs),
    }
