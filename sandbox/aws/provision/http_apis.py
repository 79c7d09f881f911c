"""HTTP APIs: kept here, not in moto, which does not carry their requests anyway.

An API's endpoint is its loopback port, held from now on: functions may be told of it before
anything listens there.
"""

from __future__ import annotations

import socket

from sandbox.aws.provision.intrinsics import Created, TemplateError
from sandbox.aws.provision.stack import Resource, Stack, creates


ACCESS_LOGS = "HTTP APIs write no access logs."
STAGE_SETTINGS = frozenset({"ThrottlingBurstLimit", "ThrottlingRateLimit"})


@creates("AWS::ApiGatewayV2::Api")
def create_api(stack: Stack, api: Resource) -> Created:
    """Keep an API's OpenAPI body for the front that serves it."""
    api_id = api.digest(10)
    stack.http_apis[api_id] = api.require("Body")
    for descriptive in ("Name", "Description", "Tags", "FailOnWarnings"):
        api.take(descriptive)
    held = socket.create_server(("127.0.0.1", 0))
    stack.sockets[api_id] = held
    endpoint = f"http://127.0.0.1:{held.getsockname()[1]}"
    return Created(api_id, {"ApiId": api_id, "ApiEndpoint": endpoint})


@creates("AWS::ApiGatewayV2::Stage")
def create_stage(stack: Stack, stage: Resource) -> Created:
    """Keep the settings of an API's stage; the sandbox serves `$default` only."""
    name, api_id = stage.require("StageName"), stage.require("ApiId")
    if name != "$default":
        raise TemplateError("the sandbox serves the stage $default only")
    settings = stage.take("DefaultRouteSettings", {})
    if set(settings) - STAGE_SETTINGS:
        raise TemplateError(f"the sandbox would drop {sorted(set(settings) - STAGE_SETTINGS)}")
    stack.stages[api_id] = settings
    stage.without_effect("AccessLogSettings", ACCESS_LOGS)
    for descriptive in ("Tags", "AutoDeploy", "Description"):
        stage.take(descriptive)
    return Created(name)
