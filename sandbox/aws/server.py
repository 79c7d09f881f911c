"""The AWS side put together: from a template on disk to an endpoint that any AWS client can use."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from sandbox.aws import events, rotation, stepfunctions, storage
from sandbox.aws.endpoint import SERVICES, Endpoint
from sandbox.aws.event_sources import EventSources
from sandbox.aws.http_api import HttpApi, bucket_of
from sandbox.aws.package import Package, package
from sandbox.aws.persistence import NOT_KEPT, Persistence
from sandbox.aws.provision import Stack, provision
from sandbox.aws.provision.stack import ACCOUNT
from sandbox.aws.repairs import moto_module
from sandbox.aws.routes import Routes
from sandbox.aws.stepfunctions import executions
from sandbox.aws.translate import translate
from sandbox.aws.workers.asynchronous import AsyncInvocations
from sandbox.aws.workers.code import CodeStore
from sandbox.aws.workers.environment import Surroundings
from sandbox.aws.workers.invoke import Functions
from sandbox.aws.workers.logs import LogSink
from sandbox.aws.workers.pool import Pool


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.aws.request import Request
    from sandbox.aws.workers.worker import Outcome

REGION = "eu-central-1"
BOTO_NAMES = {"awslambda": "lambda"}
ACCESS_KEY = SECRET_KEY = "sandbox"
PACKAGES = "sandbox-packages"
NOT_EMULATED = (
    "Bucket, queue and topic policies are kept but not enforced; nor are policies' conditions.",
    "A function has a limited number of workers; what exceeds them waits instead of starting more.",
    "Asynchronous invocations that wait for a retry are lost when the sandbox stops.",
    "Workers have no memory limit and share this machine's temporary folder.",
)


@dataclass
class Server:
    """The emulated account with one stack in it."""

    progress: Callable[[str], None] = lambda _: None
    endpoint: Endpoint = field(default_factory=Endpoint)
    stack: Stack = field(init=False)
    functions: Functions = field(init=False)
    fronts: dict[str, HttpApi] = field(default_factory=dict)
    persistence: Persistence | None = None
    scheduler: events.Scheduler = field(init=False)
    _parts: list[Any] = field(default_factory=list)
    _session: boto3.Session = field(init=False)

    def load(self) -> None:
        """Do what needs no request: load moto, listen, import the translator."""
        storage.repair()
        rotation.repair()
        self.endpoint.start()
        moto_module("stepfunctions.parser.models")
        self._session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        loading = Stack("", self._session, self.endpoint.url)
        for service in SERVICES:
            loading.client(BOTO_NAMES.get(service, service))  # its model stays with the session
        __import__("samtranslator.translator.translator")

    def start(self, request: Request) -> None:
        """Make the stack and everything that drives it; raise TemplateError for what it cannot."""
        stepfunctions.repair(request.speed)
        self.stack = Stack(request.stack, self._session, self.endpoint.url)
        delivery = events.EventDelivery(request.speed)
        self.scheduler = events.Scheduler(delivery, request.speed)
        self._start(delivery)
        packaged = self._package(request)
        self._start_functions(request, packaged)
        self._provision(request, packaged)
        self._start_fronts()
        if self.persistence:
            self.persistence.executions.tell_of_the_dead(delivery.emit_execution_status)
        self._start(self.scheduler)

    def stop(self) -> None:
        """End every worker and close every port."""
        for part in reversed(self._parts):
            part.stop()
        if self.persistence:
            executions.listeners.remove(self.persistence.executions.note)
            self.persistence.stop()
        self.endpoint.stop()

    def describe(self) -> dict[str, Any]:
        """Return what a client needs to know."""
        urls = {api_id: front.url for api_id, front in self.fronts.items()}
        return {
            "endpoint_url": self.endpoint.url,
            "region": REGION,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            "http_api_url": next(iter(urls.values()), ""),
            "http_apis": urls,
            "outputs": self.stack.outputs,
            "resources": self.stack.resources,
            "not_emulated": sorted(self._not_emulated()),
        }

    def invoke(self, name_or_arn: str, payload: bytes) -> Outcome:
        """Run a function now; raise ThrottledError, or moto's error when there is none such."""
        backend = moto_module("awslambda.models").lambda_backends[ACCOUNT][REGION]
        outcome, _ = self.functions.run(backend.get_function(name_or_arn, None), payload)
        return outcome

    def _not_emulated(self) -> set[str]:
        told = {*NOT_EMULATED, *stepfunctions.NOT_EMULATED, *events.NOT_EMULATED}
        told |= {*rotation.NOT_EMULATED, *self.stack.not_emulated}
        return told | self.functions.code.not_emulated | ({NOT_KEPT} if self.persistence else set())

    def _start(self, part: Any) -> None:
        part.start()
        self._parts.append(part)

    def _package(self, request: Request) -> Package:
        self.progress("package the template")
        s3 = self.stack.client("s3")
        place = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=PACKAGES, CreateBucketConfiguration=place)
        return package(request.template, request.root, PACKAGES, s3)

    def _start_functions(self, request: Request, packaged: Package) -> None:
        logs = moto_module("logs.models").logs_backends[ACCOUNT][REGION]
        file = request.world / "aws" / "functions.log" if request.world else None
        if file:
            file.unlink(missing_ok=True)
        code = CodeStore(
            packaged.sources,
            packaged.layers,
            request.root / "pyproject.toml",
            Path(tempfile.mkdtemp(prefix="sandbox-code-")),
        )
        for layer in packaged.layers:
            code.layer_path(layer)
        pool = Pool(LogSink(logs, file))
        surroundings = Surroundings(self.endpoint.url, SECRET_KEY, request.worker_env)
        self.functions = Functions(pool, code, surroundings)
        later = AsyncInvocations(self.functions.run, request.speed)
        sources = EventSources(self.functions.run)
        self.functions.install(later)
        sources.install()
        self._parts.append(pool)
        self._start(later)
        self._parts.append(sources)

    def _provision(self, request: Request, packaged: Package) -> None:
        parameters = dict(request.parameters)
        self.progress("translate the template")
        template = translate(packaged.template, parameters, self._session)
        if request.world:
            self.persistence = Persistence(request.world / "aws", REGION)
            self.stack.last_declared = self.persistence.restore_settings()
        self.progress(f"make {len(template['Resources'])} resources")
        provision(self.stack, template, parameters)
        if self.persistence:
            self.persistence.restore_contents(self.stack)
            executions.listeners.append(self.persistence.executions.note)

    def _start_fronts(self) -> None:
        for api_id, body in self.stack.http_apis.items():
            bucket = bucket_of(self.stack.stages.get(api_id, {}))
            listening = self.stack.sockets[api_id]
            routes = Routes.of(api_id, body)
            front = HttpApi(routes, REGION, self.invoke, bucket, listening=listening)
            self._start(front)
            self.fronts[api_id] = front
