"""Functions in worker processes: the same cases through awslambdaric and through our own runtime.

Error shapes: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.aws.package import Source
from sandbox.aws.workers.code import CodeStore, UnbuiltLayerError
from sandbox.aws.workers.environment import Plan, Surroundings
from sandbox.aws.workers.layers import group_folder, has_awslambdaric, runtime_folder
from sandbox.aws.workers.logs import LogSink
from sandbox.aws.workers.pool import Pool, ThrottledError
from sandbox.aws.workers.worker import Event, Outcome


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNTIMES = ["awslambdaric", "python"] if has_awslambdaric() else ["python"]


class Logs:
    """Takes log events as moto's CloudWatch Logs backend does."""

    def __init__(self) -> None:
        self.groups: dict[str, Any] = {}
        self.lines: list[str] = []

    def ensure_log_group(self, name: str) -> None:
        """Have a group."""
        self.groups.setdefault(name, SimpleNamespace(streams={}))

    def create_log_stream(self, group: str, stream: str) -> None:
        """Have a stream."""
        self.groups[group].streams[stream] = SimpleNamespace(events=[])

    def put_log_events(self, _: str, __: str, events: list[dict[str, Any]]) -> None:
        """Keep the messages."""
        self.lines += [event["message"] for event in events]


@pytest.fixture(scope="session", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Return the runtime client to run with."""
    return str(request.param)


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """Yield workers that are kept for the session, as they are in the sandbox."""
    pool = Pool(LogSink(Logs()), most_workers=3)
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def plan(app: Path, runtime: str) -> Callable[..., Plan]:
    """Return a way to plan a function of the app, as moto would describe it."""
    surroundings = Surroundings("http://127.0.0.1:1", "secret", runtime=runtime)
    layer = Source(app / "layers" / "core", "python3.13")
    layers = SimpleNamespace(content={"S3Bucket": "b", "S3Key": "core"})
    sources = {("b", "k"): Source(app / "functions"), ("b", "core"): layer}
    code = CodeStore(sources, {}, app / "pyproject.toml", app / "nowhere")

    def make(handler: str = "behave.handler", timeout: float = 5, **more: Any) -> Plan:
        function = SimpleNamespace(
            account_id="1",
            code={"S3Bucket": "b", "S3Key": "k"},
            environment_vars={"MINE": "yes"},
            function_arn=f"arn:aws:lambda:eu:1:function:{handler}-{runtime}-{timeout}",
            function_name="f",
            handler=handler,
            layers=[],
            logging_config={"LogFormat": "JSON"},
            logs_group_name="/aws/lambda/f",
            memory_size=128,
            region="eu-central-1",
            role="arn:aws:iam::1:role/key",
            run_time="python3.13",
            timeout=timeout,
            **more,
        )
        made = surroundings.plan(function, code)
        path = [made.environ["PYTHONPATH"], *map(str, code.layer_folders(layers))]
        return Plan(**{**vars(made), "environ": {**made.environ, "PYTHONPATH": ":".join(path)}})

    return make


@pytest.fixture
def run(pool: Pool, plan: Callable[..., Plan]) -> Callable[..., tuple[Outcome, str]]:
    """Return a way to invoke: with an event, and the options of the plan."""

    def invoke(event: Any, **options: Any) -> tuple[Outcome, str]:
        request = Event("request-1", json.dumps(event).encode())
        outcome, tail = pool.invoke(plan(**options), request, None)
        return outcome, tail.decode()

    return invoke


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ({"do": "return", "value": {"a": ["é", None, 1.5]}}, '{"a": ["é", null, 1.5]}'.encode()),
        ({"do": "return"}, b"null"),
        ({"do": "bytes"}, b"\x00\x01"),
        ({"do": "decimal"}, b'{"n": 1.5}'),
    ],
)
def test_results_are_marshalled_as_lambda_does(run: Any, event: Any, payload: bytes) -> None:
    """JSON without escapes, bytes as they are, Decimals as numbers."""
    outcome, _ = run(event)
    assert (outcome.payload, outcome.is_error) == (payload, False)


@pytest.mark.parametrize(
    ("options", "event", "kind", "message"),
    [
        ({}, {"do": "fail"}, "ImpatienceError", "no time"),
        ({}, {}, "KeyError", "'do'"),
        (
            {},
            {"do": "unserialisable"},
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
        (
            {"handler": "parse.handler"},
            {},
            "Runtime.ImportModuleError",
            "Unable to import module 'parse': No module named 'httpx'",
        ),
        (
            {"handler": "behave.absent"},
            {},
            "Runtime.HandlerNotFound",
            "Handler 'absent' missing on module 'behave'",
        ),
        (
            {},
            {"do": "exit", "code": 3},
            "Runtime.ExitError",
            "RequestId: request-1 Error: Runtime exited with error: exit status 3",
        ),
        (
            {},
            {"do": "exit", "code": 0},
            "Runtime.ExitError",
            "RequestId: request-1 Error: Runtime exited without providing a reason",
        ),
        (
            {},
            {"do": "kill"},
            "Runtime.ExitError",
            "RequestId: request-1 Error: Runtime exited with error: signal: killed",
        ),
        (
            {"timeout": 0.3},
            {"do": "sleep", "seconds": 9},
            "Sandbox.Timedout",
            "RequestId: request-1 Error: Task timed out after 0.30 seconds",
        ),
        (
            {},
            {"do": "large", "bytes": 6_500_000},
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
    ],
)
def test_errors_have_the_shape_that_retry_and_catch_match(
    run: Any, options: dict[str, Any], event: Any, kind: str, message: str
) -> None:
    """The function's own exceptions by their class; Lambda's by its names; then it works again."""
    outcome, _ = run(event, **options)
    error = json.loads(outcome.payload)
    assert (error["errorType"], error["errorMessage"]) == (kind, message)
    assert outcome.is_error
    if "handler" not in options:
        assert run({"do": "return", "value": 1}, **options)[0].payload == b"1"


def test_an_exception_carries_its_trace(run: Any) -> None:
    """Frames of the function, none of the runtime's."""
    error = json.loads(run({"do": "fail"})[0].payload)
    assert error["requestId"] == "request-1"
    assert ["in handler" in error["stackTrace"][0], len(error["stackTrace"])] == [True, 2]


def test_a_function_sees_a_clean_environment(run: Any, app: Path, runtime: str) -> None:
    """Lambda's variables and its own; its code, its layers and the runtime on the path."""
    os.environ["NOT_FOR_FUNCTIONS"] = "1"
    seen = json.loads(run({"do": "describe"})[0].payload)
    del os.environ["NOT_FOR_FUNCTIONS"]
    environ = seen["environ"]
    assert "NOT_FOR_FUNCTIONS" not in environ
    assert "PYTHONDONTWRITEBYTECODE" not in environ
    assert environ["MINE"] == "yes"
    assert environ["AWS_REGION"] == "eu-central-1"
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert environ["LAMBDA_TASK_ROOT"] == seen["cwd"] == str(app / "functions")
    assert seen["core"] == str(app / "layers" / "core" / "appcore" / "__init__.py")
    assert not [path for path in seen["path"] if path.endswith("site-packages")]
    assert (seen["function_name"], seen["memory"], seen["log_group"]) == (
        "f",
        "128",
        "/aws/lambda/f",
    )
    assert seen["log_stream"] == environ["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert seen["arn"].startswith("arn:aws:lambda:eu:1:function:behave.handler")
    assert 4000 < seen["remaining"] <= 5000


def test_what_it_prints_is_its_log(run: Any) -> None:
    """Between Lambda's own lines; log records are JSON when the function asks for it."""
    lines = run({"do": "log", "message": "hé"})[1].splitlines()
    start, printed, logged, report = (
        line if "{" not in line else json.loads(line) for line in lines
    )
    assert start["type"] == "platform.start"
    assert printed == "hé"
    assert (logged["level"], logged["message"], logged["requestId"]) == (
        "WARNING",
        "hé",
        "request-1",
    )
    assert report["record"]["metrics"]["memorySizeMB"] == 128


def test_a_worker_is_warm_and_serves_one_at_a_time(pool: Pool, plan: Any) -> None:
    """One after the other share a process; at once they do not, and more than three wait."""

    def pid(seconds: float) -> int:
        event = Event("r", json.dumps({"do": "sleep", "seconds": seconds}).encode())
        return int(pool.invoke(plan(), event, None)[0].payload)

    assert pid(0) == pid(0)
    with ThreadPoolExecutor(6) as callers:
        pids = list(callers.map(pid, [0.1] * 6))
    assert len(set(pids)) == 3


def test_reserved_concurrency_refuses_what_exceeds_it(pool: Pool, plan: Any) -> None:
    """As Lambda throttles: at once, without waiting."""
    slow = Event("r", b'{"do": "sleep", "seconds": 0.3}')
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(pool.invoke, plan(), slow, 1)
        lane = pool._lanes[plan().arn]
        while not lane.in_flight:
            time.sleep(0.005)
        with pytest.raises(ThrottledError):
            pool.invoke(plan(), slow, 1)
        assert not running.result()[0].is_error


def test_a_changed_function_gets_new_workers(pool: Pool, plan: Any) -> None:
    """The old ones end."""
    before = plan()
    after = Plan(**{**vars(before), "environ": {**before.environ, "MINE": "other"}})
    describe = Event("r", b'{"do": "describe"}')
    seen = [json.loads(pool.invoke(each, describe, None)[0].payload) for each in (before, after)]
    assert [each["environ"]["MINE"] for each in seen] == ["yes", "other"]
    assert not Path(f"/proc/{seen[0]['pid']}").exists() or sys.platform != "linux"


def test_a_layer_holds_its_group_and_no_more(app: Path) -> None:
    """With what it requires; boto3 is the runtime's; a package is a link to the installed one."""
    folder = group_folder(app / "pyproject.toml", "parsing")
    assert folder
    names = {path.name for path in folder.iterdir() if path.suffix != ".dist-info"}
    assert {"httpx", "httpcore", "h11", "socksio", "certifi"} <= names
    assert not names & {"boto3", "botocore", "pytest", "moto", "click"}
    assert (folder / "httpx").is_symlink()
    assert group_folder(app / "pyproject.toml", "tailnet") is None
    assert {"boto3", "botocore", "urllib3"} <= {path.name for path in runtime_folder().iterdir()}


@pytest.mark.parametrize(
    ("method", "files", "below"),
    [
        ("", ["python/a.py"], ["python"]),
        (
            "",
            ["python/lib/python3.13/site-packages/a.py"],
            ["python/lib/python3.13/site-packages", "python"],
        ),
        ("python3.13", ["a/__init__.py"], ["."]),
    ],
)
def test_a_layer_of_our_own_is_used_in_place(
    tmp_path: Path, method: str, files: list[str], below: list[str]
) -> None:
    """As SAM lays it out: with a python folder, or built by its Python workflow."""
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    code = CodeStore({}, {"Own": Source(tmp_path, method)}, tmp_path / "none", tmp_path)
    assert code.layer_path("Own") == [tmp_path / path for path in below]


def test_a_layer_that_only_sam_could_build_is_refused(tmp_path: Path) -> None:
    """Its requirements would be missing, and a handler would fail later."""
    (tmp_path / "requirements.txt").touch()
    code = CodeStore({}, {"Own": Source(tmp_path, "python3.13")}, tmp_path / "none", tmp_path)
    with pytest.raises(UnbuiltLayerError):
        code.layer_path("Own")


def test_byte_code_of_layers_is_kept(run: Any, app: Path) -> None:
    """So that the next cold start does not compile again."""
    run({"do": "return"})
    assert list((app / "layers" / "core" / "appcore" / "__pycache__").glob("*.pyc"))


# Through the API, in the whole sandbox.


def test_the_api_answers_as_lambdas_does(sandbox: Any) -> None:
    """FunctionError, the executed version, and the tail of the log when it is asked for."""
    failed = sandbox.invoke("BehaveFunction", {"do": "fail"}, LogType="Tail")
    assert (failed["StatusCode"], failed["FunctionError"]) == (200, "Unhandled")
    assert failed["result"]["errorType"] == "ImpatienceError"
    assert b"platform.report" in base64.b64decode(failed["LogResult"])
    quiet = sandbox.invoke("BehaveFunction", {"do": "return"})
    assert "LogResult" not in quiet
    assert quiet["ExecutedVersion"] == "$LATEST"
    assert sandbox.invoke("BehaveFunction", {}, InvocationType="DryRun")["StatusCode"] == 204


def test_a_function_imports_what_its_layers_bring(sandbox: Any) -> None:
    """The parsing layer is on one function's path and not on the other's."""
    seen = sandbox.invoke("BehaveFunction", {"do": "describe"})["result"]
    other = sandbox.invoke("LayerlessFunction", {"url": "http://x"})["result"]
    assert [path for path in seen["path"] if "sandbox-layers/parsing-" in path]
    assert seen["environ"]["FROM_THE_WORLD"] == "yes"
    assert seen["environ"]["AWS_ENDPOINT_URL"] == sandbox.ready["endpoint_url"]
    assert other["errorType"] == "Runtime.ImportModuleError"


def test_logs_are_in_cloudwatch(sandbox: Any) -> None:
    """In the function's own group, whoever reads it with whatever client."""
    sandbox.invoke("BehaveFunction", {"do": "log", "message": "find me"})
    found = sandbox.client("logs").filter_log_events(
        logGroupName=sandbox.id_of("Logs"), filterPattern="find"
    )
    assert "find me" in [event["message"] for event in found["events"]]


def test_a_throttled_call_is_refused(sandbox: Any) -> None:
    """429 TooManyRequestsException, so that Lambda.TooManyRequestsException can be retried."""
    refusal = sandbox.client("lambda").exceptions.TooManyRequestsException
    event = {"do": "sleep", "seconds": 0.5}
    with ThreadPoolExecutor(2) as callers:
        both = [callers.submit(sandbox.invoke, "SingleFunction", event) for _ in range(2)]
        errors = [each.exception() for each in both]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", refusal.__name__]


def test_a_killed_worker_fails_its_invocation_only(
    sandbox: Any, tmp_path: Path, eventually: Any
) -> None:
    """`kill -9` from outside: Runtime.ExitError, and the next invocation has a new worker."""
    file = tmp_path / "pid"
    event = {"do": "hold", "file": str(file), "seconds": 1.9}
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(sandbox.invoke, "BehaveFunction", event)
        pid = int(eventually(lambda: file.exists() and file.read_text()))
        os.kill(pid, signal.SIGKILL)
        error = running.result()["result"]
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("signal: killed")
    after = sandbox.invoke("BehaveFunction", {"do": "describe"})["result"]["pid"]
    assert after != pid


def test_an_asynchronous_failure_is_told(sandbox: Any, tmp_path: Path) -> None:
    """One more try, as its configuration says; then the destination and the dead-letter queue."""
    marks = tmp_path / "marks"
    event = {"do": "mark", "file": str(marks)}
    accepted = sandbox.invoke("DetachedFunction", event, InvocationType="Event")
    letter = sandbox.messages("DeadLetters")[0]
    told = json.loads(sandbox.messages("Failures")[0]["Body"])
    assert accepted["StatusCode"] == 202
    assert marks.read_text() == "xx"
    assert json.loads(letter["Body"]) == event
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "marked"
    assert told["requestPayload"] == event
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["responsePayload"]["errorType"] == "ImpatienceError"


def test_a_queue_is_read_in_batches(sandbox: Any, eventually: Any) -> None:
    """What failed comes again, and goes to the dead-letter queue after its second time."""
    sqs, url = sandbox.client("sqs"), sandbox.id_of("Inbox")
    sent = {
        body: sqs.send_message(QueueUrl=url, MessageBody=body)["MD5OfMessageBody"]
        for body in ("good", "poison")
    }
    letters = sandbox.messages("DeadLetters", 15)
    table = sandbox.client("dynamodb")
    items = eventually(lambda: table.scan(TableName=sandbox.id_of("Table"))["Items"])
    assert [letter["Body"] for letter in letters] == ["poison"]
    records = {item["sk"]["S"]: item["record"]["M"] for item in items}
    assert set(records) == {"good 1", "poison 1", "poison 2"}
    assert records["good 1"]["md5OfBody"]["S"] == sent["good"]
