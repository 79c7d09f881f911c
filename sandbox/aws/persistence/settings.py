"""Secrets and SSM parameters across restarts, with their versions and stages."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.aws.provision.stack import ACCOUNT
from sandbox.aws.repairs import moto_module


if TYPE_CHECKING:
    from sandbox.aws.persistence.journal import Journal

SECRET, PARAMETER = "secret", "parameter"
TIME = "$time"


@dataclass
class SettingKeeper:
    """Notes what differs from what it noted last: a rotation changes secrets by itself."""

    journal: Journal
    region: str
    _noted: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def restore(self) -> None:
        """Put them back, before the stack is provisioned."""
        secret, parameter = (
            moto_module("secretsmanager.models").FakeSecret,
            moto_module("ssm.models").Parameter,
        )
        for name, state in self.journal.saved(SECRET).items():
            self._secrets()[name] = _revived(secret, state)
        for name, versions in self.journal.saved(PARAMETER).items():
            self._parameters()[name].extend(_revived(parameter, state) for state in versions)

    def note(self) -> None:
        """Note every change since the last time."""
        with self._lock:
            now = self._current()
            for kind, name in set(self._noted) - set(now):
                self.journal.put(kind, name, None)
            for (kind, name), text in now.items():
                if self._noted.get((kind, name)) != text:
                    self.journal.put(kind, name, json.loads(text))
            self._noted = now

    def _current(self) -> dict[tuple[str, str], str]:
        secrets, parameters = self._secrets(), self._parameters()
        now = {(SECRET, name): _kept(secret) for name, secret in list(dict.items(secrets))}
        for name, versions in list(dict.items(parameters)):
            if versions:
                now[PARAMETER, name] = f"[{','.join(_kept(version) for version in versions)}]"
        return now

    def _secrets(self) -> Any:
        backends = moto_module("secretsmanager.models").secretsmanager_backends
        return backends[ACCOUNT][self.region].secrets

    def _parameters(self) -> Any:
        return moto_module("ssm.models").ssm_backends[ACCOUNT][self.region]._parameters


def _kept(thing: Any) -> str:
    return json.dumps(vars(thing), default=_as_json, sort_keys=True)


def _revived(kind: Any, state: dict[str, Any]) -> Any:
    thing = kind.__new__(kind)
    thing.__dict__.update({name: _from_json(value) for name, value in state.items()})
    return thing


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {TIME: value.isoformat()}
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{type(value).__name__} has no place in the journal")


def _from_json(value: Any) -> Any:
    is_time = isinstance(value, dict) and set(value) == {TIME}
    return datetime.fromisoformat(value[TIME]) if is_time else value
