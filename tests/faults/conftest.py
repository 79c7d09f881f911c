"""Fixtures: those of the handlers' tests, for what only goes wrong between two of them."""

from __future__ import annotations

from tests.functions.conftest import outside
from tests.support.stacks import aws, endpoint, line


__all__ = ["aws", "endpoint", "line", "outside"]
