"""Whom the sandbox's functions trust: the world's authority, and whom this machine trusts anyway.

The parts that take the place of ours may be served over TLS, by a public name or by a test's.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from sandbox.files import write_atomically


if TYPE_CHECKING:
    from collections.abc import Mapping


def bundle(folder: Path, world: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Write the authorities of the world and of this machine as one file, and return it.

    This machine's are those of SSL_CERT_FILE, else OpenSSL's, else certifi's.
    """
    given = environment.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    machine = Path(given) if given and Path(given).is_file() else Path(certifi.where())
    file = folder / "trusted.pem"
    write_atomically(file, world.read_bytes().rstrip() + b"\n" + machine.read_bytes())
    return file
