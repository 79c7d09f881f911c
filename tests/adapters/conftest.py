"""Fixtures for adapters of our own storage: an empty stack on moto, and a line that can fail."""

from __future__ import annotations

from tests.support.stacks import aws, endpoint, line


__all__ = ["aws", "endpoint", "line"]
