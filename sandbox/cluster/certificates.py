"""The world's certificate authority, which plays Let's Encrypt and survives restarts."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import idna
import trustme

from sandbox.cluster.frontends import Certificate
from sandbox.files import write_atomically


if TYPE_CHECKING:
    from pathlib import Path

VALID = timedelta(days=90)  # Let's Encrypt's


class Authority:
    """A certificate authority whose own certificate is `ca_file`, kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        key_file = folder / "ca.key"
        if self.ca_file.exists() and key_file.exists():
            self.ca = trustme.CA.from_pem(self.ca_file.read_bytes(), key_file.read_bytes())
        else:
            self.ca = trustme.CA(organization_name="tailkeeper sandbox")
            write_atomically(key_file, self.ca.private_key_pem.bytes())
            write_atomically(self.ca_file, self.ca.cert_pem.bytes())
        self._issued: dict[tuple[str, ...], Certificate] = {}

    def issue(self, *names: str) -> Certificate:
        """Return a certificate for these names or addresses; the same ones get the same one."""
        if names not in self._issued:
            end = datetime.now(UTC) + VALID
            leaf = self.ca.issue_cert(*names, not_after=end)
            chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
            self._issued[names] = Certificate(chain.decode(), leaf.private_key_pem.bytes().decode())
        return self._issued[names]


def is_name(text: str) -> bool:
    """Say whether a certificate can be for this: `${DOMAIN}`, which a tool would fill, is none."""
    with suppress(ValueError):
        return bool(ip_address(text))
    try:
        return bool(idna.encode(text.removeprefix("*."), uts46=True))
    except idna.IDNAError:
        return False
