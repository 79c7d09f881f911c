"""An API that takes requests and never answers: the function that reads it must still end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.faults import Fault
from tailkeeper.adapters import zone_patience, zones
from tailkeeper.adapters.zone_errors import Unreachable


if TYPE_CHECKING:
    from tests.support.handlers import Outside

TIMEOUT = 0.2


@pytest.mark.parametrize(("long", "tries"), [(TIMEOUT / 2, 1), (60, 3)])
def test_who_let_us_wait_is_not_asked_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, long: float, tries: int
) -> None:
    """A refusal is quick, and worth three tries; three time-outs would be the function's own."""
    monkeypatch.setattr(zone_patience, "LONG", long)
    outside.cloudflare.faults.append(Fault(method="GET", times=3, delay_ms=TIMEOUT * 1400))
    client = zones.connect(outside.cloudflare.base_url, "token", TIMEOUT)

    with client, pytest.raises(Unreachable, match="ReadTimeout"):
        zones.Zones(client, sleep=lambda _: None).list_records("z")

    assert len(outside.cloudflare.requests) == tries
