"""Whom the functions trust when something of somebody else's takes a part."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from cli.trust import bundle


if TYPE_CHECKING:
    from pathlib import Path


def subjects(file: Path) -> list[str]:
    """Return the organizations, or common names, of the authorities in a file."""
    context = ssl.create_default_context(cafile=str(file))
    return [str(certificate["subject"]) for certificate in context.get_ca_certs()]


@pytest.mark.parametrize("gone", [False, True])
def test_the_world_and_the_machine_are_both_trusted(tmp_path: Path, *, gone: bool) -> None:
    """SSL_CERT_FILE adds a test's own authority; without it the public ones are there."""
    world, machine = tmp_path / "world.pem", tmp_path / "machine.pem"
    trustme.CA(organization_name="our world").cert_pem.write_to_path(str(world))
    trustme.CA(organization_name="their stand-in").cert_pem.write_to_path(str(machine))
    named = tmp_path / "nowhere.pem" if gone else machine

    found = subjects(bundle(tmp_path, world, {"SSL_CERT_FILE": str(named)}))

    assert sum("our world" in subject for subject in found) == 1
    assert any("their stand-in" in subject for subject in found) != gone
    assert (len(found) > 50) == gone
