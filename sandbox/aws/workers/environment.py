"""What a worker process is given: a clean environment, as Lambda documents it.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.aws.workers.layers import has_awslambdaric, runtime_folder


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.aws.workers.code import CodeStore

AWSLAMBDARIC, PLAIN = "awslambdaric", "python"
PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


@dataclass(frozen=True)
class Plan:
    """How one function is run; two equal plans may share a worker."""

    arn: str
    function_name: str
    handler: str
    runtime: str
    timeout: float
    memory_size: int
    task_root: Path
    log_group: str
    log_format: str
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Surroundings:
    """What all functions of the sandbox share: the endpoint, a secret key, extra variables."""

    endpoint_url: str
    secret_access_key: str
    extra: Mapping[str, str] = field(default_factory=dict)
    runtime: str = field(default_factory=lambda: AWSLAMBDARIC if has_awslambdaric() else PLAIN)

    def plan(self, function: Any, code: CodeStore) -> Plan:
        """Return how to run a moto function as it is configured now."""
        task_root = code.task_root(function)
        logging = function.logging_config
        group = logging.get("LogGroup") or function.logs_group_name
        environ = {
            **self._of_lambda(function, group, logging),
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": os.pathsep.join(map(str, search_path(function, code))),
            **self.extra,
            **function.environment_vars,
        }
        return Plan(
            arn=function.function_arn,
            function_name=function.function_name,
            handler=function.handler,
            runtime=self.runtime,
            timeout=float(function.timeout),
            memory_size=int(function.memory_size),
            task_root=task_root,
            log_group=group,
            log_format=logging.get("LogFormat", "Text"),
            environ=environ,
        )

    def _of_lambda(
        self, function: Any, log_group: str, logging: Mapping[str, str]
    ) -> dict[str, str]:
        variables = {
            "_HANDLER": function.handler,
            "AWS_ACCESS_KEY_ID": function.role.rpartition("/")[2],  # sandbox.aws.permissions
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
            "AWS_REGION": function.region,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "LAMBDA_RUNTIME_DIR": str(runtime_folder()),
            "LANG": "en_US.UTF-8",
            "PATH": PATH,
            "POWERTOOLS_TRACE_DISABLED": "1",
            "TZ": ":UTC",
        }
        if logging.get("LogFormat") == "JSON":
            variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
            variables["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel", "INFO")
        return variables


def search_path(function: Any, code: CodeStore) -> list[Path]:
    """Return a function's PYTHONPATH: its code, its layers, the later first, and the runtime.

    Layers are unpacked over one another on AWS, so that the last one named wins.
    """
    backend = _backend(function)
    versions = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
    layers = [folder for version in reversed(versions) for folder in code.layer_folders(version)]
    return [code.task_root(function), *dict.fromkeys(layers), runtime_folder()]


def _backend(function: Any) -> Any:
    from moto.awslambda.utils import get_backend  # noqa: PLC0415 - moto is imported in a thread

    return get_backend(function.account_id, function.region)
