"""A Cloudflare account with two zones, and the real SDK pointed at it."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cloudflare import Cloudflare as Sdk
from jsonschema import Draft202012Validator

from sandbox.clock import Clock
from sandbox.cloudflare import Cloudflare
from sandbox.threads import running


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.cloudflare.zones import Zone

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading CA files takes longer than a test
TOKEN = "cfut_the-token-of-the-sandbox"


@dataclass(frozen=True)
class HandClock(Clock):
    """A clock that moves only when a test moves it."""

    at: list[float] = field(default_factory=lambda: [1_800_000_000.0])

    def now(self) -> float:
        """Return the hand-set time."""
        return self.at[0]


@dataclass
class Rig:
    """The stand-in under test, its clock, and clients for it."""

    stand_in: Cloudflare
    clock: HandClock
    http: httpx.Client
    admin: httpx.Client
    clients: list[httpx.Client] = field(default_factory=list)

    @cached_property
    def sdk(self) -> Sdk:
        """The real SDK."""
        return self.sdk_as(TOKEN)

    def sdk_as(self, value: str) -> Sdk:
        """Return the real SDK with another token."""
        client = httpx.Client(base_url=f"{self.stand_in.base_url}/client/v4", verify=NO_TLS)
        self.clients.append(client)
        return Sdk(
            api_token=value, base_url=str(client.base_url), http_client=client, max_retries=0
        )

    @property
    def zone(self) -> Zone:
        """The zone that most tests use."""
        zone = self.stand_in.zone_of("example.com")
        assert zone
        return zone

    @property
    def records(self) -> str:
        """The path of that zone's records."""
        return f"/zones/{self.zone.id}/dns_records"

    def as_token(self, value: str) -> dict[str, str]:
        """Return the header that speaks with another token."""
        return {"Authorization": f"Bearer {value}"}


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Start an account with example.com (Pro) and example.org (Pro)."""
    clock = HandClock()
    stand_in = Cloudflare(
        zones=["example.com", "example.org"], api_token=TOKEN, plan="pro", clock=clock
    )
    with running(stand_in):
        base = f"{stand_in.base_url}/client/v4"
        http = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, verify=NO_TLS
        )
        admin = httpx.Client(base_url=stand_in.admin_url, verify=NO_TLS)
        rig = Rig(stand_in, clock, http, admin, [http, admin])
        yield rig
        for client in rig.clients:
            client.close()


@pytest.fixture(scope="session")
def conforms(specs: Path) -> Callable[[Any, str], None]:
    """Return a check of a document against the SDK's models."""
    models = json.loads((specs / "cloudflare" / "sdk-models.schema.json").read_text())["models"]

    def check(document: Any, model: str) -> None:
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(models[model], format_checker=checker).validate(document)

    return check
