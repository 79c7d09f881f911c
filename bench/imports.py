"""What importing each handler costs, between a small handler and one that imports everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.processes import ROOT, interleaved


if TYPE_CHECKING:
    from bench.processes import Cost

SMALL = """
from aws_lambda_powertools import Logger
logger = Logger(service="small")
import boto3
client = boto3.client("dynamodb", region_name="eu-central-1")
"""
EVERYTHING = """
from aws_lambda_powertools import Logger
logger = Logger(service="everything")
import boto3, httpx, tenacity, cloudflare, kubernetes.client, dns.message
session = boto3.session.Session(region_name="eu-central-1")
clients = [session.client(n) for n in ("dynamodb", "s3", "secretsmanager", "ssm", "events")]
records = cloudflare.Cloudflare(api_token="t").dns.records
api = kubernetes.client.ApiClient(kubernetes.client.Configuration())
core, custom = kubernetes.client.CoreV1Api(api), kubernetes.client.CustomObjectsApi(api)
http = httpx.Client()
"""
RECEIVERS = "receive_"
RECEIVER_LIMIT, OTHER_LIMIT = 1.25, 0.5


def measure() -> tuple[Table, bool]:
    """Return the table, and whether every handler is within its limit."""
    handlers = sorted(path.stem for path in (ROOT / "functions").glob("*.py"))
    cases = {"small": SMALL, "everything": EVERYTHING, **{h: f"import {h}" for h in handlers}}
    costs = interleaved(cases)
    table = Table(title="Import, in fresh processes (medians of 5 interleaved rounds)", width=98)
    for column in ("handler", "CPU ms", "MB", "CPU ratio", "MB ratio", "limit", ""):
        table.add_column(column, justify="left" if column == "handler" else "right")
    for name in ("small", "everything"):
        table.add_row(f"[dim]{name}[/]", *_numbers(costs[name]), "", "", "", "")
    within = [_row(table, handler, costs) for handler in handlers]
    return table, all(within)


def _row(table: Table, handler: str, costs: dict[str, Cost]) -> bool:
    receiver = handler.startswith(RECEIVERS)
    reference = costs["small" if receiver else "everything"]
    limit = RECEIVER_LIMIT if receiver else OTHER_LIMIT
    cost = costs[handler]
    ratios = cost.cpu / reference.cpu, cost.memory / reference.memory
    fine = max(ratios) <= limit
    told = f"≤ {limit} of {'small' if receiver else 'everything'}"
    mark = "[green]ok[/]" if fine else "[red]over[/]"
    table.add_row(handler, *_numbers(cost), *(f"{r:.2f}" for r in ratios), told, mark)
    return fine


def _numbers(cost: Cost) -> tuple[str, str]:
    return f"{cost.cpu:.0f}", f"{cost.memory:.1f}"
