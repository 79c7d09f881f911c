"""The repositories of the configuration, for the receiver: read seldom, never for each request."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tailkeeper.adapters.aws import Aws
from tailkeeper.adapters.fresh import Fresh
from tailkeeper.webhooks.git.relevance import Watched


if TYPE_CHECKING:
    from collections.abc import Callable


def repositories(
    aws: Aws | None = None, now: Callable[[], float] = time.time
) -> Fresh[tuple[Watched, ...]]:
    """Return the branches that are watched, by the parameter that the environment names."""
    return Fresh(partial(_read, aws or Aws()), now)


def _read(aws: Aws) -> tuple[Watched, ...]:
    answer = aws.call("ssm", "GetParameter", Name=os.environ["CONFIG_PARAMETER"])
    document = json.loads(answer["Parameter"]["Value"])
    return tuple(map(Watched.from_json, document.get("repositories", ())))
