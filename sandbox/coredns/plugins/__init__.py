"""CoreDNS's plugins: one module each, with the words of its page at coredns.io/plugins/NAME."""

from __future__ import annotations
