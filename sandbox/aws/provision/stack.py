"""A stack while it is being made, and what is known of it afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from sandbox.aws.provision.intrinsics import Created, TemplateError


if TYPE_CHECKING:
    from socket import socket

    from boto3 import Session

ACCOUNT = "123456789012"
CONFIG = Config(
    retries={"max_attempts": 0}, inject_host_prefix=False, s3={"addressing_style": "path"}
)


@dataclass
class Stack:
    """One stack of the emulated account.

    `resources` maps logical to physical ids, `http_apis` an API's id to its OpenAPI body, `sockets`
    to what it will listen on and `stages` to its stage's settings; `not_emulated` holds sentences
    about what has no effect here. `declared` maps a secret's or parameter's name to a digest of the
    value that the template gives it, `last_declared` is that of the last run, when the stack is
    made over restored state.
    """

    name: str
    session: Session
    endpoint_url: str
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    http_apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    sockets: dict[str, socket] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_emulated: set[str] = field(default_factory=set)
    last_declared: Mapping[str, str] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region of the session."""
        return str(self.session.region_name)

    def close(self) -> None:
        """Free the ports on which nobody will listen."""
        for held in self.sockets.values():
            held.close()

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service,  # type: ignore[call-overload]  # the stubs list services one by one
                endpoint_url=self.endpoint_url,
                config=CONFIG,
            )
        return self._clients[service]

    def is_declared_anew(self, name: str, value: Any) -> bool:
        """Note what the template gives a setting; return whether it gave something else before."""
        text = json.dumps(value, sort_keys=True, default=str)
        self.declared[name] = hashlib.sha256(text.encode()).hexdigest()
        return self.last_declared.get(name) != self.declared[name]

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{rest}"


@dataclass
class Resource:
    """A resource's resolved properties; each must be taken, so that none is dropped silently."""

    stack: Stack
    logical_id: str
    properties: dict[str, Any]

    def take(self, name: str, default: Any = None) -> Any:
        """Remove and return a property."""
        return self.properties.pop(name, default)

    def require(self, name: str) -> Any:
        """Remove and return a property; raise TemplateError when it is absent."""
        if name not in self.properties:
            raise TemplateError(f"{name} is required")
        return self.properties.pop(name)

    def rest(self) -> dict[str, Any]:
        """Remove and return all properties that are left, for a call that knows them all."""
        rest, self.properties = self.properties, {}
        return rest

    def name(self, prop: str, longest: int = 64) -> str:
        """Return the given physical name, or one made of stack, logical id and a digest.

        CloudFormation's own ending is random; here a restarted world finds its tables again.
        """
        given = self.take(prop)
        if given:
            return str(given)
        ending = self.digest(12)
        return f"{self.stack.name}-{self.logical_id}"[: longest - 13] + f"-{ending}"

    def digest(self, length: int) -> str:
        """Return a stable, unguessed-looking id of this resource within its stack."""
        path = f"{self.stack.name}/{self.logical_id}".encode()
        return hashlib.sha256(path).hexdigest()[:length]

    def without_effect(self, name: str, sentence: str) -> Any:
        """Take a property that the sandbox stores or drops knowingly, and say so in a sentence."""
        if name in self.properties:
            self.stack.not_emulated.add(sentence)
        return self.take(name)


Handler = Callable[[Stack, Resource], Created]
HANDLERS: dict[str, Handler] = {}


def creates(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that makes resources of a CloudFormation type."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register
