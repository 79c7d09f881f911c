"""What a Corefile can be wrong with."""

from __future__ import annotations


class CorefileError(ValueError):
    """A configuration that CoreDNS refuses; the text is CoreDNS's own log line."""


class NotEmulatedError(CorefileError):
    """A configuration that CoreDNS may accept and this stand-in cannot judge."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the sandbox's CoreDNS does not emulate {what}")
