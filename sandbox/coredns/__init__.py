"""A stand-in for CoreDNS that judges Corefiles and answers by CoreDNS's documented rules.

tokens.py, corefile.py, directives.py    a Corefile's words, blocks and lines
version.py     which plugins exist, their order, what versions differ in
setup.py       what a plugin has at hand;  plugins/   one module each
chain.py       plugins in order, server blocks by zone
server.py      the process: start, answer, reload
"""

from __future__ import annotations

from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.server import COREFILE, CoreDNS
from sandbox.coredns.setup import Service
from sandbox.coredns.version import Version


__all__ = ["COREFILE", "CoreDNS", "CorefileError", "NotEmulatedError", "Service", "Version"]
