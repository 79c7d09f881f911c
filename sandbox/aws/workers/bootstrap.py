"""A Lambda runtime in plain Python, for machines where awslambdaric has no wheel.

It speaks the Runtime API and shapes errors as awslambdaric does; the same tests run through both.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any


Handler = Callable[[Any, Any], Any]
VERSION = "/2018-06-01/runtime"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


class RuntimeFault(Exception):
    """A mistake that the runtime finds: its `kind` is what Retry and Catch see as the error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Context:
    """What a handler is told about its invocation."""

    def __init__(self, headers: Any) -> None:
        environ = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = json.loads(headers.get("Lambda-Runtime-Client-Context") or "null")
        self.identity = None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        return max(0, self._deadline - int(time.time() * 1000))


class Runtime:
    """One connection to the Runtime API."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[bytes, Any]:
        """Wait for an invocation; return its event and headers."""
        self._connection.request("GET", f"{VERSION}/invocation/next")
        response = self._connection.getresponse()
        return response.read(), response.headers

    def post(self, path: str, body: bytes, kind: str = "application/json") -> None:
        """Send a result."""
        self._connection.request("POST", VERSION + path, body, {"Content-Type": kind})
        self._connection.getresponse().read()

    def post_error(self, path: str, error: dict[str, Any]) -> None:
        """Send an error."""
        headers = {ERROR_TYPE: error["errorType"], "Content-Type": "application/json"}
        self._connection.request("POST", VERSION + path, json.dumps(error).encode(), headers)
        self._connection.getresponse().read()


class JsonLines(logging.Formatter):
    """Lambda's JSON log format."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": CURRENT["request_id"],
        }
        if record.exc_info and record.exc_info[0]:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


CURRENT = {"request_id": ""}


def load(name: str) -> Handler:
    """Return the handler `module.function`; raise RuntimeFault as Lambda's runtime does."""
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise RuntimeFault("Runtime.MalformedHandlerName", f"Bad handler '{name}'")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise RuntimeFault("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message) from error
    if not hasattr(module, function):
        message = f"Handler '{function}' missing on module '{module_name}'"
        raise RuntimeFault("Runtime.HandlerNotFound", message)
    handler: Handler = getattr(module, function)
    return handler


def described(error: BaseException, request_id: str) -> dict[str, Any]:
    """Return an error's payload, logged as Lambda logs it; a fault has no trace of ours."""
    is_fault = isinstance(error, RuntimeFault)
    frames = [] if is_fault else traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename != __file__]
    payload = {
        "errorMessage": str(error),
        "errorType": error.kind if isinstance(error, RuntimeFault) else type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(ours),
    }
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(json.dumps({"timestamp": stamp, "level": "ERROR", **payload}))
    else:
        print(f"[ERROR] {payload['errorType']}: {payload['errorMessage']}", *payload["stackTrace"])
    return payload


def marshalled(result: Any) -> tuple[bytes, str]:
    """Return a result as the bytes to send and their type; Decimals are numbers."""
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return json.dumps(result, ensure_ascii=False, default=_decimal).encode(), "application/json"
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        raise RuntimeFault("Runtime.MarshalError", message) from error


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def answer(runtime: Runtime, handler: Handler) -> None:
    """Carry out one invocation."""
    event, headers = runtime.next()
    request_id = CURRENT["request_id"] = headers["Lambda-Runtime-Aws-Request-Id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
    try:
        body, kind = marshalled(handler(json.loads(event), Context(headers)))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
        runtime.post_error(f"/invocation/{request_id}/error", described(error, request_id))
    else:
        runtime.post(f"/invocation/{request_id}/response", body, kind)


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonLines())
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))
    logging.getLogger().addHandler(handler)


def main() -> None:
    """Load the handler, then answer invocations until the parent ends this process."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text file
    _log_to_stdout()
    runtime = Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever a module raises is the init's answer
        runtime.post_error("/init/error", described(error, ""))
        sys.exit(1)
    while True:
        answer(runtime, handler)


if __name__ == "__main__":
    main()
