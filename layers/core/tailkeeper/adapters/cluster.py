"""A Kubernetes API server: lists read to the end, objects read, one field applied as our own.

The `kubernetes` package's ApiClient carries kubeconfig, TLS, proxies and tokens; its typed API
classes would cost 600 ms more at import, so paths are named here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import load_kube_config_from_dict
from urllib3.exceptions import HTTPError

from tailkeeper.adapters.read_again import read_again


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Keep = Callable[[dict[str, Any]], dict[str, Any] | None]

MANAGER = "tailkeeper"
PAGE = 500
TIMEOUT = (3, 15)  # seconds: connect, read
LONG = 12  # seconds
GONE = 410  # a `continue` that has expired
SERVER_ERROR = 500


class Unreachable(Exception):
    """The API server did not answer, or answered 5xx or 429; `silent`: it said nothing at all."""

    def __init__(self, sentence: str, *, silent: bool = False) -> None:
        super().__init__(sentence)
        self.silent = silent


class Refused(Exception):
    """The API server refused; the sentence says what and why."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class Conflict(Refused):
    """The object changed since it was read, or another manager owns the field."""


_read_again = read_again(Unreachable, long=LONG)


def whole(item: dict[str, Any]) -> dict[str, Any]:
    """Keep an object as it is."""
    return item


@dataclass(frozen=True)
class Cluster:
    """One cluster's API server."""

    api: ApiClient

    @classmethod
    def connect(cls, kubeconfig: str | Mapping[str, Any]) -> Cluster:
        """Return the cluster of a kubeconfig's current context (YAML text, or the parsed form).

        Raises Refused when it is none; the sentence quotes nothing, for there are tokens in it.
        """
        configuration = Configuration()
        try:
            document = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
            load_kube_config_from_dict(document, client_configuration=configuration)
        except (yaml.YAMLError, ConfigException, AttributeError, TypeError, ValueError) as error:
            raise Refused(f"the kubeconfig cannot be used: {type(error).__name__}", 0) from None
        configuration.retries = False  # ours are enough: urllib3's would make twelve tries of three
        return cls(ApiClient(configuration))

    def list(self, path: str, keep: Keep = whole, **query: str) -> list[dict[str, Any]]:
        """Return every object of a collection, following `continue` to the end.

        `keep` says what of an object is kept, None for nothing. Begins anew once when the server
        has forgotten where we were. Raises Unreachable or Refused: half a list is never returned
        as a whole one.
        """
        try:
            return [*self._pages(path, query, keep)]
        except Refused as error:
            if error.status != GONE:
                raise
        return [*self._pages(path, query, keep)]

    def _pages(self, path: str, query: Mapping[str, str], keep: Keep) -> Iterator[dict[str, Any]]:
        """Yield what is kept, page by page: objects whole are ten times as large."""
        more = ""
        while True:
            page = self._read(path, {"limit": str(PAGE), "continue": more, **query})
            yield from (kept for item in page.get("items") or () if (kept := keep(item)))
            more = page.get("metadata", {}).get("continue") or ""
            if not more:
                return

    def get(self, path: str) -> dict[str, Any] | None:
        """Return one object, or None when there is none."""
        try:
            return self._read(path, {})
        except Refused as error:
            if error.status == 404:  # noqa: PLR2004 - Not Found
                return None
            raise

    def apply(
        self, path: str, document: Mapping[str, Any], *, force: bool = False
    ) -> dict[str, Any]:
        """Apply the fields of `document` as our own, and return the object as it then is.

        A `metadata.resourceVersion` in it makes the write compare-and-set. Raises Conflict when the
        object moved, or when another manager owns a field and `force` is not given.
        """
        query = {"fieldManager": MANAGER, "force": str(force).lower()}
        return self._call(
            "PATCH", path, query, body=document, content_type="application/apply-patch+yaml"
        )

    @_read_again
    def _read(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._call("GET", path, {k: v for k, v in query.items() if v})

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            answer = self.api.call_api(
                *self.api.param_serialize(
                    method,
                    path,
                    query_params=list(query.items()),
                    header_params=headers,
                    body=body,
                    auth_settings=["BearerToken"],
                ),
                _request_timeout=TIMEOUT,
            )
            answer.read()
        except (HTTPError, OSError) as error:
            sentence = f"the API server: {type(error).__name__} at {path}"
            raise Unreachable(sentence, silent=True) from error
        except ApiException as error:
            if not error.status:  # no answer at all: its reason is what TLS or the proxy says
                raise Unreachable(f"the API server: {_line(error.reason)} at {path}") from error
            raise _named(error.status, path, error.body) from error
        if answer.status >= 300:  # noqa: PLR2004 - not 2xx
            raise _named(answer.status, path, answer.data)
        document: dict[str, Any] = json.loads(answer.data)
        return document


def _named(status: int, path: str, body: Any) -> Exception:
    """Return the exception that a status means."""
    if status == 429 or status >= SERVER_ERROR:  # noqa: PLR2004 - Too Many Requests
        return Unreachable(f"the API server answered {status} to {path}")
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        message = "no reason given"
    kind = Conflict if status == 409 else Refused  # noqa: PLR2004 - Conflict
    return kind(f"{status} at {path}: {message}", status)


def _line(reason: object) -> str:
    return " ".join(str(reason).split())
