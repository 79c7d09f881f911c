"""A stack for handlers: table, bucket, bus and secrets on moto, worlds on the stand-ins."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from sandbox.aws.clients import client_for


if TYPE_CHECKING:
    from sandbox.cloudflare import Cloudflare
    from sandbox.kubernetes.server import Kubernetes
    from sandbox.tailscale import Tailscale

REGION = "eu-central-1"
SECRETS = (
    "TAILSCALE_SECRET",
    "CLOUDFLARE_SECRET",
    "KUBECONFIG_SECRET",
    "WEBHOOK_SECRETS",
    "GIT_SECRET",
    "LINK_SECRET",
)
ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "LEASE_SECONDS": "150",
    "SWEEP_SECONDS": "300",
    "WEBHOOK_TOLERANCE_SECONDS": "90000",
    "PROBER_HOSTNAME": "tailkeeper-prober",
    "PROBER_TAG": "tag:tailkeeper",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "PUBLIC_DNS": "",
    "TAILNET_PROXY": "",
    "GIT_URL": "",
    "CHANGES": "https://api.example/changes",
    "PLANS": "https://api.example/plans",
}
RUN: dict[str, Any] = {
    "holder": "arn:run",
    "name": "run",
    "started": "2026-11-21T23:00:00Z",
    "fence": 1,
    "dry_run": False,
}


@cache
@cache
def client(endpoint: str, service: str) -> Any:
    """Return a plain client of a service of moto's."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service that a test names
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def deployed(endpoint: str) -> dict[str, str]:
    """Make an empty table, bucket, bus, secrets and configuration; return their environment.

    Their names are new each time: other tests of this process may be using the same moto.
    """
    name = f"stack-{uuid4().hex[:12]}"
    client_for(REGION, "dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    client_for(REGION, "s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    client_for(REGION, "events").create_event_bus(Name=name)
    secrets = {secret: f"{name}-{secret}" for secret in SECRETS}
    for secret in secrets.values():
        client_for(REGION, "secretsmanager").create_secret(Name=secret, SecretString="{}")
    client_for(REGION, "ssm").put_parameter(Name=name, Value='{"zones": []}', Type="String")
    topic = client_for(REGION, "sns").create_topic(Name=name)["TopicArn"]
    places = {"TABLE": name, "ARTIFACTS": name, "BUS": name, "CONFIG_PARAMETER": name}
    places["TOPIC"] = topic
    return {**ENVIRONMENT, **places, **secrets, "AWS_ENDPOINT_URL": endpoint}


def set_secret(variable: str, document: Any) -> None:
    """Give the secret that the environment names a value."""
    client(os.environ["AWS_ENDPOINT_URL"], "secretsmanager").put_secret_value(
        SecretId=os.environ[variable], SecretString=json.dumps(document)
    )


def set_config(document: Any) -> None:
    """Store a configuration where the environment says."""
    client(os.environ["AWS_ENDPOINT_URL"], "ssm").put_parameter(
        Name=os.environ["CONFIG_PARAMETER"],
        Value=json.dumps(document),
        Type="String",
        Overwrite=True,
    )


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
