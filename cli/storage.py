"""The functions' own adapters of table and bucket, over a deployment instead of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailkeeper.adapters.artifacts import Artifacts
from tailkeeper.adapters.aws import Aws
from tailkeeper.adapters.decisions import Decisions
from tailkeeper.adapters.table import Table


if TYPE_CHECKING:
    from cli.deployments import Deployment


def decisions_of(deployment: Deployment) -> Decisions:
    """Return the deployment's decisions."""
    session, endpoint = deployment.session, deployment.endpoint_url or ""
    aws = Aws(str(session.region_name), endpoint, credentials=session.get_credentials)
    return Decisions(Table(aws, deployment.table), Artifacts(aws, deployment.artifacts))
