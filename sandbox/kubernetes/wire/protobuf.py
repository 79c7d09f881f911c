"""Reads the few protobuf bodies that kubectl sends: what `kubectl create …` and `auth` are made of.

The field numbers are those of Kubernetes' generated.proto files. A kind that is not here is
refused with a 415, as a server without protobuf would; kubectl then says so and does not retry.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import unsupported_media_type


if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2

Message = dict[int, "Member"]


@dataclass(frozen=True)
class Member:
    """A field of a message: `of` is "text", "bytes", "number", "bool", or a message's name."""

    name: str
    of: str
    many: str


_MESSAGES_TEXT = """
meta         1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 11 labels%
             12 annotations%, 14 finalizers*
nothing
rule         1 verbs*, 2 apiGroups*, 3 resources*, 4 resourceNames*, 5 nonResourceURLs*
subject      1 kind, 2 apiGroup, 3 name, 4 namespace
role         1 apiGroup, 2 kind, 3 name
token        1 audiences*, 4 expirationSeconds:number
access       1 resourceAttributes:attributes, 2 nonResourceAttributes:path
attributes   1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name
path         1 path, 2 verb
place        1 namespace

ConfigMap                1 metadata:meta, 2 data%, 3 binaryData:bytes%, 4 immutable:bool
Secret                   1 metadata:meta, 2 data:bytes%, 3 type, 4 stringData%, 5 immutable:bool
Namespace                1 metadata:meta, 2 spec:nothing, 3 status:nothing
ServiceAccount           1 metadata:meta, 4 automountServiceAccountToken:bool
Role                     1 metadata:meta, 2 rules:rule*
ClusterRole              1 metadata:meta, 2 rules:rule*
RoleBinding              1 metadata:meta, 2 subjects:subject*, 3 roleRef:role
ClusterRoleBinding       1 metadata:meta, 2 subjects:subject*, 3 roleRef:role
TokenRequest             1 metadata:meta, 2 spec:token
SelfSubjectReview        1 metadata:meta
SelfSubjectAccessReview  1 metadata:meta, 2 spec:access
SelfSubjectRulesReview   1 metadata:meta, 2 spec:place
"""


def _messages(text: str) -> dict[str, Message]:
    """Read `MESSAGE NUMBER NAME[:OF][*|%], …`: `*` is repeated, `%` a map of OF."""
    joined = re.sub(r"\n +", ", ", text.strip())
    lines = (line.partition(" ") for line in joined.splitlines() if line)
    return {
        name: dict(_member(part) for part in re.split(r",\s*", members.strip()) if part)
        for name, _, members in lines
    }


def _member(text: str) -> tuple[int, Member]:
    number, _, rest = text.partition(" ")
    many = rest[-1] if rest[-1] in "*%" else ""
    name, _, of = rest.rstrip("*%").partition(":")
    return int(number), Member(name, of or "text", many)


_MESSAGES = _messages(_MESSAGES_TEXT)


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """Return the object that a protobuf body holds; raise a 415 for a kind not known here."""
    if not body.startswith(_MAGIC):
        raise unsupported_media_type(["application/json", "application/yaml"])
    envelope = dict(_fields(body[len(_MAGIC) :]))
    identity = {number: value.decode() for number, value in _fields(envelope.get(1, b""))}
    kind = identity.get(2, "")
    if kind not in _MESSAGES:
        raise unsupported_media_type(["application/json", "application/yaml"])
    document = _decode(_MESSAGES[kind], envelope.get(2, b""))
    return {"apiVersion": identity.get(1, ""), "kind": kind, **document}


def _decode(message: Message, data: bytes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for number, raw in _fields(data):
        member = message.get(number)
        if member is None:
            continue
        if member.many == "%":
            pair = dict(_fields(raw))
            key = pair.get(1, b"").decode()
            document.setdefault(member.name, {})[key] = _value(member.of, pair.get(2, b""))
        elif member.many:
            document.setdefault(member.name, []).append(_value(member.of, raw))
        else:
            document[member.name] = _value(member.of, raw)
    return {name: value for name, value in document.items() if value != ""}


def _value(of: str, raw: Any) -> Any:
    match of:
        case "text":
            return raw.decode()
        case "bytes":
            return base64.b64encode(raw).decode()
        case "number":
            return raw
        case "bool":
            return bool(raw)
    return _decode(_MESSAGES[of], raw)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (field number, bytes or integer) of each field of a message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif kind == _LENGTH:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        else:
            at += 8 if kind == 1 else 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
