"""The tailnet as one JSON document, and back."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal
from sandbox.tailscale.devices import Devices
from sandbox.tailscale.policy import Policy, parse_hujson


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.tailscale.devices import Device
    from sandbox.tailscale.standin import Tailscale

DNS_PARTS = ("nameservers", "split_dns", "search_paths", "preferences", "with_exit_node")
NONSENSE = (Refusal, AttributeError, KeyError, TypeError, ValueError)


def shown(tailnet: Tailscale) -> dict[str, Any]:
    """Return everything in the wire format's words, without secrets; its parts stay live."""
    return {
        "tailnet": tailnet.tailnet,
        "magic_dns_domain": tailnet.magic_dns_domain,
        "devices": tailnet.machines.all,
        "keys": [tailnet.keys.view(key) for key in tailnet.keys.all],
        "services": tailnet.vips.all,
        "service_hosts": tailnet.vips.hosts,
        "webhooks": tailnet.webhooks.all,
        **{part: getattr(tailnet.dns, part) for part in DNS_PARTS},
        "settings": tailnet.settings,
        "policy": {"text": tailnet.policy.text, "untouched": tailnet.policy.untouched},
        "counters": dict(tailnet.ids.counters),
    }


def saved(tailnet: Tailscale) -> dict[str, Any]:
    """Return everything, with the secrets that a restart needs and what is under way."""
    return shown(tailnet) | {
        "keys": [tailnet.keys.with_secret(key) for key in tailnet.keys.all],
        "webhooks": [tailnet.webhooks.with_secret(one) for one in tailnet.webhooks.all],
        "access_tokens": tailnet.keys.tokens,
        "deliveries": tailnet.courier.dump(),
    }


def load(tailnet: Tailscale, state: dict[str, Any]) -> None:
    """Replace the parts that the document has, all or none; raise ValueError on nonsense."""
    before = copy.deepcopy(saved(tailnet))
    unknown = sorted(set(state) - set(before))
    if unknown:
        raise ValueError(f"unknown parts {unknown}; a tailnet has {sorted(before)}")
    try:
        _replace(tailnet, copy.deepcopy(state))
    except NONSENSE as error:
        _replace(tailnet, before)
        raise ValueError(f"{type(error).__name__}: {error}") from error
    tailnet.courier.resume(state.get("deliveries", []))
    if tailnet.base_url:
        for kind, device in _changes(before["devices"], tailnet.devices):
            tailnet.tell(kind, device)
        tailnet.watch_idle()


def _replace(tailnet: Tailscale, state: dict[str, Any]) -> None:
    # Merged upwards, so that no address and no name of the past is handed out again.
    tailnet.ids.counters |= Counter(state.get("counters", {}))
    tailnet.tailnet = str(state.get("tailnet", tailnet.tailnet))
    tailnet.magic_dns_domain = str(state.get("magic_dns_domain", tailnet.magic_dns_domain))
    tailnet.keys.load(state.get("keys", tailnet.keys.all))
    tailnet.keys.tokens = state.get("access_tokens", tailnet.keys.tokens)
    tailnet.webhooks.load(state.get("webhooks", tailnet.webhooks.all))
    tailnet.vips.load(state.get("services", tailnet.services), state.get("service_hosts"))
    tailnet.settings |= state.get("settings", {})
    _replace_dns(tailnet, state)
    if "policy" in state:
        parse_hujson(state["policy"]["text"])
        tailnet.policy = Policy(state["policy"]["text"], untouched=state["policy"]["untouched"])
    if "devices" in state:
        _replace_devices(tailnet, state["devices"])


def _replace_dns(tailnet: Tailscale, state: dict[str, Any]) -> None:
    dns = tailnet.dns
    dns.with_exit_node = state.get("with_exit_node", dns.with_exit_node)
    dns.search_paths = state.get("search_paths", dns.search_paths)
    if "nameservers" in state:
        dns.set_nameservers(state["nameservers"])
    if "split_dns" in state:
        dns.replace_split(state["split_dns"])
    dns.preferences |= state.get("preferences", {})


def _replace_devices(tailnet: Tailscale, given: list[Device]) -> None:
    loaded = Devices(tailnet.ids)
    for device in given:
        loaded.add(
            device,
            taken=tailnet.vips.labels(),
            domain=tailnet.magic_dns_domain,
            now=tailnet.now(),
        )
    if len({device["nodeId"] for device in loaded.all}) != len(loaded.all):
        raise ValueError("two devices have the same nodeId")
    tailnet.machines.all = loaded.all


def _changes(before: list[Device], after: list[Device]) -> Iterator[tuple[str, Device]]:
    """Yield what happened to the devices, in the words of `Tailscale.subscribe`."""
    old = {device["nodeId"]: device for device in before}
    new = {device["nodeId"]: device for device in after}
    for node_id in old.keys() - new.keys():
        yield "removed", old[node_id]
    for node_id, device in new.items():
        if node_id not in old:
            yield "registered", device
            continue
        if device["name"] != old[node_id]["name"]:
            yield "renamed", device
        if device["addresses"] != old[node_id]["addresses"]:
            yield "addressed", device
        if device["connectedToControl"] != old[node_id]["connectedToControl"]:
            yield "connected" if device["connectedToControl"] else "disconnected", device
