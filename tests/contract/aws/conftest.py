"""A moto server in this process, functions as plain callables, and the same without repairs."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.awslambda.models import LambdaFunction
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ROLE = "arn:aws:iam::123456789012:role/sandbox"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ALL = {"Version": "2012-10-17", "Statement": [ALLOW]}
FOLDER = Path(__file__).parent


@dataclass
class Cloud:
    """AWS by moto, with clients, functions that are callables, and state machines to run."""

    url: str
    functions: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    delivery: Any = None
    _clients: dict[str, Any] = field(default_factory=dict)
    _creating: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str) -> Any:
        """Return a plain boto3 client of a service."""
        with self._creating:
            if service not in self._clients:
                self._clients[service] = boto3.client(
                    service,  # type: ignore[call-overload]  # any service that a test names
                    region_name="us-east-1",
                    endpoint_url=self.url,
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                    config=Config(
                        inject_host_prefix=False,
                        retries={"total_max_attempts": 1},
                        max_pool_connections=32,
                    ),
                )
            return self._clients[service]

    def function(self, work: Callable[[Any], Any]) -> str:
        """Deploy a callable as a Lambda function; return its ARN."""
        name = f"f{uuid.uuid4().hex[:12]}"
        self.functions[name] = work
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as stream:
            stream.writestr("app.py", "")
        created = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        return str(created["FunctionArn"])

    def machine(self, definition: dict[str, Any] | str, kind: str = "STANDARD") -> str:
        """Create a state machine of a name of its own; return its ARN."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        created = self.client("stepfunctions").create_state_machine(
            name=f"m{uuid.uuid4().hex[:12]}", definition=text, roleArn=ROLE, type=kind
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, given: Any = None, **more: Any) -> str:
        """Start an execution; return its ARN."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine,
            input=json.dumps({} if given is None else given, ensure_ascii=False),
            **more,
        )
        return str(started["executionArn"])

    def ended(self, execution: str, seconds: float = 20.0) -> dict[str, Any]:
        """Wait for an execution's end; return its description."""
        described: dict[str, Any] = until(
            lambda: self.client("stepfunctions").describe_execution(executionArn=execution),
            lambda described: described["status"] != "RUNNING",
            seconds,
        )
        return described

    def run(self, definition: dict[str, Any], given: Any = None) -> dict[str, Any]:
        """Run a definition; return status, output as JSON, error and cause, as far as there."""
        described = self.ended(self.start(self.machine(definition), given))
        wanted = {k: described[k] for k in ("status", "error", "cause") if k in described}
        return wanted | (
            {"output": json.loads(described["output"])} if "output" in described else {}
        )

    def history(self, execution: str) -> list[dict[str, Any]]:
        """Return all events of an execution."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        return [e for page in pages.paginate(executionArn=execution) for e in page["events"]]


def until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 10.0) -> Any:
    """Look again and again until it is good; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {seen}")
        time.sleep(0.01)
    return seen


def serve() -> tuple[ThreadedMotoServer, Cloud]:
    """Start moto on a free port, with its interpreter on and functions as callables."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["MOTO_PORT"] = str(port)
    cloud = Cloud(f"http://{host}:{port}")
    iam = cloud.client("iam")
    iam.create_role(RoleName="sandbox", AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName="sandbox", PolicyName="all", PolicyDocument=json.dumps(ALL))
    # The one seam through which every caller of a function comes.
    LambdaFunction.invoke = _invoke_callable(cloud)
    return server, cloud


def _invoke_callable(cloud: Cloud) -> Callable[..., bytes]:
    def invoke(self: Any, body: str, request_headers: Any, response_headers: Any) -> bytes:
        try:
            answer = cloud.functions[self.function_name](json.loads(body or "{}"))
        except ConnectionError:  # Lambda, not the function, is in trouble
            raise
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            typed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            answer = getattr(error, "document", typed)
            response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps(answer).encode()

    return invoke


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """Yield AWS, repaired, a thousand times as fast where it waits."""
    from sandbox.aws import rotation, stepfunctions  # noqa: PLC0415 - stock runs load this file
    from sandbox.aws.events import EventDelivery, Scheduler  # noqa: PLC0415

    stepfunctions.repair(speed=1000)
    rotation.repair()
    server, cloud = serve()
    cloud.delivery = delivery = EventDelivery(speed=1000)
    delivery.start()
    scheduler = Scheduler(delivery, speed=1000)
    scheduler.start()
    yield cloud
    scheduler.stop()
    delivery.stop()
    server.stop()


@pytest.fixture(scope="module")
def stock(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> dict[str, Any]:
    """Return what a module's CASES give with moto as it comes, from a process without repairs.

    Workers share what one of them has found out.
    """
    base = tmp_path_factory.getbasetemp()
    found = (base if worker_id == "master" else base.parent) / f"{request.path.stem}.stock.json"
    with found.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read() or _run_stock(request.path)
        file.truncate(0)
        file.write(text)
    results: dict[str, Any] = json.loads(text)
    return results


def _run_stock(module: Path) -> str:
    answered = subprocess.run(
        [sys.executable, str(FOLDER / "stock.py"), str(module)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(FOLDER.parents[2])},
    )
    return answered.stdout.splitlines()[-1]
