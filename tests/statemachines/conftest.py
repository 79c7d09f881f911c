"""Fixtures: the repaired moto with the machines, whose functions answer from a script."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from moto.awslambda.models import LambdaFunction
from moto.server import ThreadedMotoServer

from sandbox.aws import clients, stepfunctions, storage
from tailkeeper.adapters.stack import stack
from tests.statemachines.definitions import definition
from tests.statemachines.script import DEFAULTS, Script
from tests.statemachines.stage import LEASE_SECONDS, PATIENCE_SECONDS, Faults, Stage
from tests.support.handlers import REGION, client, deployed


if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "scripted-"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ALL = {"Version": "2012-10-17", "Statement": [ALLOW]}


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Run moto for the session."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stepfunctions.repair(speed=1000)
    storage.repair()  # conditions that hold twice would give the lease away twice
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def role(endpoint: str) -> str:
    """Return a role that everything may have, and that may do everything."""
    name, iam = f"role-{uuid4().hex[:8]}", client(endpoint, "iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))
    return str(made["Role"]["Arn"])


@pytest.fixture(scope="session")
def functions(endpoint: str, role: str) -> dict[str, str]:
    """Deploy the functions, without code; return their ARNs by the template's names."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("app.py", "")
    return {
        name: client(endpoint, "lambda").create_function(
            FunctionName=PREFIX + name,
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]
        for name in DEFAULTS
    }


@pytest.fixture(scope="session")
def environment(endpoint: str) -> dict[str, str]:
    """Make what the functions use; return the functions' environment."""
    return deployed(endpoint)


@pytest.fixture(scope="session")
def machines(
    endpoint: str, role: str, functions: dict[str, str], environment: dict[str, str]
) -> tuple[str, str, str]:
    """Create Converge, Sweep and Undo, with the substitutions that the template names."""
    values = functions | {
        "ConfigParameter": environment["CONFIG_PARAMETER"],
        "Table": environment["TABLE"],
        "LeaseSeconds": str(LEASE_SECONDS),
        "SettleSeconds": "5",
        "PatienceSeconds": str(PATIENCE_SECONDS),
    }
    converge = _machine(endpoint, role, "STANDARD", definition("converge", values))
    values["ConvergeArn"] = converge
    sweep = _machine(endpoint, role, "EXPRESS", definition("sweep", values))
    return converge, sweep, _machine(endpoint, role, "STANDARD", definition("undo", values))


def _machine(endpoint: str, role: str, kind: str, text: str) -> str:
    made = client(endpoint, "stepfunctions").create_state_machine(
        name=f"machine-{uuid4().hex[:8]}", definition=text, roleArn=role, type=kind
    )
    return str(made["stateMachineArn"])


@pytest.fixture
def stage(
    endpoint: str,
    role: str,
    machines: tuple[str, str, str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """Return the machines over an empty table, with every function at its default answer."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stack.cache_clear()
    stepfunctions.repair(speed=1000)
    script, faults = Script(), Faults(clients._answer)
    monkeypatch.setattr(LambdaFunction, "invoke", _seam(script))
    made = Stage(endpoint, *machines, script, faults)
    made.empty(client(endpoint, "dynamodb"), environment["TABLE"])
    with _failing(faults, role):
        yield made
    stack.cache_clear()


def _seam(script: Script) -> Any:
    """Return what every caller of a function comes through."""

    def invoke(self: Any, body: str, request_headers: Any, response_headers: Any) -> bytes:
        try:
            function = self.function_name.removeprefix(PREFIX)
            answer = script.invoke(function, json.loads(body or "{}"))
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            typed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            answer = getattr(error, "document", typed)
            response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps(answer).encode()

    return invoke


@contextmanager
def _failing(faults: Faults, role: str) -> Iterator[None]:
    """Put faults in front of the interpreter's own calls, which the machines' role signs."""
    signer = SimpleNamespace(role_arn=role)
    events = [clients.client_for(REGION, name, signer).meta.events for name in ("dynamodb", "ssm")]
    for each in events:  # botocore calls every handler: the usual one has to step aside
        each.unregister("before-send", clients._answer)
        each.register("before-send", faults.answer)
    yield
    for each in events:
        each.unregister("before-send", faults.answer)
        each.register("before-send", clients._answer)
