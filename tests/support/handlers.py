"""A stack for handlers: table, bucket, bus and secrets on moto, worlds on the stand-ins."""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3


if TYPE_CHECKING:
    from sandbox.cloudflare import Cloudflare
    from sandbox.kubernetes.server import Kubernetes
    from sandbox.tailscale import Tailscale

REGION = "eu-central-1"
SECRETS = ("TAILSCALE_SECRET", "CLOUDFLARE_SECRET", "KUBECONFIG_SECRET", "WEBHOOK_SECRETS")
ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "TABLE": "table",
    "ARTIFACTS": "artifacts",
    "BUS": "bus",
    "LEASE_SECONDS": "150",
    "WEBHOOK_TOLERANCE_SECONDS": "90000",
    "PROBER_HOSTNAME": "tailkeeper-prober",
    "PROBER_TAG": "tag:tailkeeper",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "PUBLIC_DNS": "",
    "TAILNET_PROXY": "",
    **{name: name for name in SECRETS},
}
RUN = {
    "holder": "arn:run",
    "name": "run",
    "started": "2026-11-21T23:00:00Z",
    "fence": 1,
    "dry_run": False,
}


def reset(endpoint: str) -> None:
    """Empty moto, then make the stack's table, bucket, bus and secrets."""
    session = boto3.Session(region_name=REGION)
    made: dict[str, Any] = {
        name: session.client(name, endpoint_url=endpoint)
        for name in ("dynamodb", "s3", "events", "secretsmanager")
    }
    urllib.request.urlopen(  # noqa: S310 - loopback
        urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310
    ).close()
    made["dynamodb"].create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    made["s3"].create_bucket(
        Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    made["events"].create_event_bus(Name="bus")
    for name in SECRETS:
        made["secretsmanager"].create_secret(Name=name, SecretString="{}")


def set_secret(name: str, document: Any) -> None:
    """Give a secret of the stack a value."""
    boto3.client(
        "secretsmanager", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=REGION
    ).put_secret_value(SecretId=name, SecretString=json.dumps(document))


@dataclass
class Outside:
    """The three outside worlds, running; `config` fits them."""

    tailscale: Tailscale
    cloudflare: Cloudflare
    kubernetes: Kubernetes
    config: dict[str, Any] = field(
        default_factory=lambda: {
            "clusters": [
                {
                    "name": "homelab",
                    "resolvers": [
                        {
                            "namespace": "dns",
                            "mode": "hosts",
                            "config_map": "tailkeeper-hosts",
                            "service": "dns",
                            "domains": ["example.com"],
                        }
                    ],
                }
            ],
            "zones": [{"name": "example.com", "owner": "homelab"}],
        }
    )

    def event(self, **more: Any) -> dict[str, Any]:
        """Return a state's input."""
        return {"run": RUN, "round": 1, "config": self.config, **more}


def kubeconfig(server: Kubernetes) -> dict[str, Any]:
    """Return a kubeconfig for the stand-in's administrator."""
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.base_url}}],
        "users": [{"name": "u", "user": {"token": server.admin_token}}],
    }
