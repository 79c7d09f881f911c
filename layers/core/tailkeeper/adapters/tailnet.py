"""Tailscale's API: devices, services and split DNS, read; split DNS, written.

Rules: Tailscale API v2, OpenAPI document; one access token serves an invocation (it lives an hour).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from tailkeeper.adapters.read_again import read_again


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

API = "/api/v2"
LONG = 8  # seconds
PARTS = {
    "devices": "/tailnet/{tailnet}/devices?fields=all",
    "services": "/tailnet/{tailnet}/services",
    "split_dns": "/tailnet/{tailnet}/dns/split-dns",
}


class Throttled(Exception):
    """Tailscale answered 429: the state machine tries again later."""


class Unreachable(Exception):
    """Tailscale did not answer, or answered 5xx or nonsense; `silent`: it said nothing at all."""

    def __init__(self, sentence: str, *, silent: bool = False) -> None:
        super().__init__(sentence)
        self.silent = silent


class Refused(Exception):
    """Tailscale refused: the sentence says what, and which scope may be missing."""


_read_again = read_again(Unreachable, Throttled, long=LONG)


@dataclass(frozen=True)
class Tailnet:
    """One tailnet (`-` is the credential's own), over an authorized client."""

    http: httpx.Client
    tailnet: str = "-"

    def observe(self) -> dict[str, Any]:
        """Return the tailnet's observation: one call for each part, and why a part is missing."""
        observed = nothing("") | {"partial": {}}
        for place, part in enumerate(PARTS):
            try:
                observed[part] = self._read(part)
            except (Throttled, Unreachable, Refused) as error:
                observed["partial"][part] = str(error)
                if isinstance(error, Unreachable) and error.silent:
                    # The other parts would wait as long: together, longer than a function may run.
                    observed["partial"] |= dict.fromkeys(list(PARTS)[place:], str(error))
                    break
        observed["complete"] = not observed["partial"]
        return observed

    def split_dns(self) -> dict[str, list[str]]:
        """Return the nameservers of every split-DNS domain."""
        answer: dict[str, list[str]] = self._read("split_dns")
        return answer

    def set_split_dns(self, domains: Mapping[str, Sequence[str] | None]) -> dict[str, list[str]]:
        """Set just these domains (None clears one); the answer is the whole map, read back."""
        path = f"/tailnet/{self.tailnet}/dns/split-dns"
        answer: dict[str, list[str]] = self._send("PATCH", path, json=dict(domains))
        return answer

    @_read_again
    def _read(self, part: str) -> Any:
        path = PARTS[part].format(tailnet=self.tailnet)
        answer = self._send("GET", path)
        with _named_errors(path):
            return TOLD[part](answer)

    def _send(self, method: str, path: str, **parts: Any) -> Any:
        with _named_errors(path):
            answer = self.http.request(method, API + path, **parts)
            _check_again(answer, path)
            if answer.is_error:
                raise Refused(_refusal(answer, path))
            return answer.json()


def trimmed(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an observation keeps of a device."""
    return {
        "node_id": device["nodeId"],
        "name": device["name"],
        "hostname": device["hostname"],
        "addresses": list(device["addresses"]),
        "tags": list(device.get("tags") or ()),
        "connected": bool(device.get("connectedToControl")),
        "created": device.get("created", ""),
        "external": bool(device.get("isExternal")),
        "expires": _key_expiry(device),
    }


def _key_expiry(device: Mapping[str, Any]) -> str:
    """Return when a node key ends; Tailscale writes year 1 where it never does."""
    text: str = device.get("expires") or ""
    never = device.get("keyExpiryDisabled") or text.startswith("0001") or not text
    return "" if never else datetime.fromisoformat(text).isoformat()


def _split_dns(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    if not all(isinstance(servers, list | None) for servers in answer.values()):
        raise TypeError("the nameservers of a domain are no list")
    return {domain: servers for domain, servers in answer.items() if servers}


TOLD: dict[str, Callable[[Any], Any]] = {
    "devices": lambda answer: [trimmed(device) for device in answer["devices"]],
    "services": lambda answer: list(answer.get("vipServices") or ()),
    "split_dns": _split_dns,
}


@contextmanager
def connect(
    base_url: str, secret: Mapping[str, str], timeout: float = 10
) -> Iterator[httpx.Client]:
    """Yield a client authorized by an OAuth client's credentials, or by an API key.

    `secret` holds `client_id` and `client_secret`, or `api_key`. Raises Refused when Tailscale does
    not accept them, Throttled, Unreachable when it does not answer.
    """
    with httpx.Client(base_url=base_url, timeout=timeout) as http:
        token = secret.get("api_key") or _access_token(http, secret)
        http.headers["Authorization"] = f"Bearer {token}"
        yield http


@_read_again
def _access_token(http: httpx.Client, secret: Mapping[str, str]) -> str:
    path = f"{API}/oauth/token"
    if not secret.keys() >= {"client_id", "client_secret"}:
        raise Refused("the secret holds neither client_id and client_secret nor api_key")
    # In the form, as Tailscale documents it: not every server takes them by HTTP Basic.
    form = {name: secret[name] for name in ("client_id", "client_secret")}
    with _named_errors(path):
        answer = http.post(path, data={**form, "grant_type": "client_credentials"})
        _check_again(answer, path)
        if answer.is_error:
            raise Refused("Tailscale does not accept the OAuth client: is it revoked?")
        return str(answer.json()["access_token"])


@contextmanager
def _named_errors(path: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise Unreachable(f"Tailscale: {type(error).__name__} at {path}", silent=True) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"Tailscale: the answer of {path} makes no sense") from error


def _check_again(answer: httpx.Response, path: str) -> None:
    """Raise what another try may mend."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Throttled(f"Tailscale throttles {path}")
    if answer.is_server_error:
        raise Unreachable(f"Tailscale answered {answer.status_code} to {path}")


def _refusal(answer: httpx.Response, path: str) -> str:
    """Say what was refused; a 404 on services is how a missing scope looks (issue 19471)."""
    hint = (
        ": is the scope `services` missing?" if answer.status_code == httpx.codes.NOT_FOUND else ""
    )
    return f"Tailscale answered {answer.status_code} to {path}{hint}"


def nothing(why: str) -> dict[str, Any]:
    """Return the observation of a tailnet that could not be read at all."""
    return {
        "reader": "tailnet",
        "devices": [],
        "services": [],
        "split_dns": {},
        "partial": dict.fromkeys(PARTS, why),
        "complete": False,
    }
