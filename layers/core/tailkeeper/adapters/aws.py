"""AWS's JSON services and S3 over botocore's signer and urllib3.

boto3 would cost a function that also carries the kubernetes or the cloudflare SDK about 17 MB and
100 ms (docs/decisions/0004-aws-without-boto3.md). Every operation that tailkeeper sends through
here is safe to repeat, so throttling, 5xx and cut connections are tried again, three times in all.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential


if TYPE_CHECKING:
    from collections.abc import Callable

TARGETS = {
    "dynamodb": ("DynamoDB_20120810", "application/x-amz-json-1.0"),
    "events": ("AWSEvents", "application/x-amz-json-1.1"),
    "secretsmanager": ("secretsmanager", "application/x-amz-json-1.1"),
    "ssm": ("AmazonSSM", "application/x-amz-json-1.1"),
}
THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


class AwsError(Exception):
    """An AWS service refused: `code` is its exception name, `status` the HTTP status (0: none)."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.status = code, status


class ConditionFailed(AwsError):
    """A DynamoDB condition did not hold; nothing was written."""


def _passing(error: BaseException) -> bool:
    return isinstance(error, AwsError) and (
        error.status == 0 or error.status >= 500 or error.code in THROTTLES  # noqa: PLR2004 - 5xx
    )


_repeat = retry(
    retry=retry_if_exception(_passing),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.1, max=2),
    reraise=True,
)


def environment_credentials() -> Credentials:
    """Return the credentials of a Lambda's environment."""
    environment = os.environ
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN"),
    )


@dataclass
class Aws:
    """One region's services; endpoint and credentials are by default the Lambda environment's."""

    region: str = field(default_factory=lambda: os.environ["AWS_REGION"])
    endpoint: str = field(default_factory=lambda: os.environ.get("AWS_ENDPOINT_URL", ""))
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(
            maxsize=8, retries=False, timeout=urllib3.Timeout(connect=3, read=10)
        )
    )
    credentials: Callable[[], Any] = environment_credentials

    @_repeat
    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call a JSON-protocol operation; raise AwsError, or ConditionFailed, when it refuses."""
        target, content_type = TARGETS[service]
        headers = {"Content-Type": content_type, "X-Amz-Target": f"{target}.{operation}"}
        body = json.dumps(parameters).encode()
        answer = self._send(service, "POST", self._url(service) + "/", headers, body)
        if answer.status >= 300:  # noqa: PLR2004 - not 2xx
            raise _error(answer.data, answer.status)
        document: dict[str, Any] = json.loads(answer.data or b"{}")
        return document

    def query(self, service: str, operation: str, version: str, **parameters: str) -> str:
        """Call a query-protocol operation, once; return its XML, or raise AwsError."""
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = urlencode({"Action": operation, "Version": version, **parameters}).encode()
        answer = self._send(service, "POST", self._url(service) + "/", headers, body)
        if answer.status >= 300:  # noqa: PLR2004 - not 2xx
            raise AwsError(operation, f"{service} refused", answer.status)
        return answer.data.decode()

    @_repeat
    def get_object(self, bucket: str, key: str) -> bytes:
        """Return an S3 object's bytes; raise AwsError when it is not there."""
        answer = self._send("s3", "GET", self._object_url(bucket, key), {}, b"")
        if answer.status >= 300:  # noqa: PLR2004 - not 2xx
            raise AwsError("GetObject", f"{bucket}/{key}", answer.status)
        return bytes(answer.data)

    @_repeat
    def put_object(
        self, bucket: str, key: str, body: bytes, content_type: str = "application/json"
    ) -> None:
        """Store an S3 object; raise AwsError when S3 refuses."""
        headers = {"Content-Type": content_type}
        answer = self._send("s3", "PUT", self._object_url(bucket, key), headers, body)
        if answer.status >= 300:  # noqa: PLR2004 - not 2xx
            raise AwsError("PutObject", f"{bucket}/{key}", answer.status)

    def link(self, bucket: str, key: str, seconds: int) -> str:
        """Return a signed link to an S3 object; it dies early with the session that signs it."""
        request = AWSRequest(method="GET", url=self._object_url(bucket, key))
        S3SigV4QueryAuth(self.credentials(), "s3", self.region, expires=seconds).add_auth(request)
        return str(request.url)

    def _url(self, service: str) -> str:
        return self.endpoint or f"https://{service}.{self.region}.amazonaws.com"

    def _object_url(self, bucket: str, key: str) -> str:
        return f"{self._url('s3')}/{bucket}/{quote(key)}"

    def _send(
        self, service: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> urllib3.BaseHTTPResponse:
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(self.credentials(), service, self.region).add_auth(request)
        try:
            return self.pool.request(method, url, body=body, headers=dict(request.headers))
        except urllib3.exceptions.HTTPError as error:
            raise AwsError("Unreachable", f"{service}: {type(error).__name__}", 0) from error


def _error(body: bytes, status: int) -> AwsError:
    try:
        document = json.loads(body)
    except ValueError:  # a 503 of what stands before the service may be a page for people
        document = {}
    code = str(document.get("__type", "Unknown")).rpartition("#")[2]
    message = str(document.get("message") or document.get("Message") or "")
    kind = ConditionFailed if code == "ConditionalCheckFailedException" else AwsError
    return kind(code, message, status)
