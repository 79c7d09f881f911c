"""moto's server on a free loopback port, with the services that we use loaded beforehand.

Loading takes two seconds of CPU. It needs no parameters, so it happens while the rest of the world
is still starting.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.permissions import Gate
from sandbox.aws.repairs import moto_module


# By moto's names.
SERVICES = (
    "dynamodb",
    "s3",
    "stepfunctions",
    "events",
    "awslambda",
    "sqs",
    "iam",
    "logs",
    "scheduler",
    "secretsmanager",
    "sns",
    "cloudwatch",
    "kms",
    "sts",
    "ssm",
)
LOOK_SECONDS = 0.1  # how often the server looks whether it should stop


@dataclass
class Endpoint:
    """One port for every service."""

    url: str = ""
    _server: Any = field(default=None, repr=False)

    def start(self) -> None:
        """Load the services, then listen."""
        moto_module("core.config").default_user_config["stepfunctions"] = {
            "execute_state_machine": True
        }
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        app = _preloaded_app()
        serving = __import__("werkzeug.serving", fromlist=["make_server"])
        handler = moto_module("moto_server.werkzeug_app").MotoRequestHandler
        self._server = serving.make_server(
            "127.0.0.1", 0, Gate(app), threaded=True, request_handler=handler
        )
        port = self._server.server_address[1]
        os.environ["MOTO_PORT"] = str(port)  # moto calls itself there
        self.url = f"http://127.0.0.1:{port}"
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(LOOK_SECONDS,), name="moto", daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def _preloaded_app() -> Any:
    werkzeug_app = moto_module("moto_server.werkzeug_app")
    app = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    for service in SERVICES:
        app.app_instances[service] = werkzeug_app.create_backend_app(service)
    return app
