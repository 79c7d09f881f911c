"""What survives a restart of the sandbox: items, objects, secrets, parameters, dead executions.

The stack is provisioned anew at each start. Secrets and parameters are put back before that, for
CloudFormation keeps what was set since its template last changed; tables and buckets are filled
afterwards. Queues, logs and histories start empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.aws import storage
from sandbox.aws.persistence.executions import ExecutionKeeper
from sandbox.aws.persistence.items import ItemKeeper
from sandbox.aws.persistence.journal import Journal
from sandbox.aws.persistence.objects import ObjectKeeper
from sandbox.aws.persistence.settings import SettingKeeper


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.aws.provision import Stack

NOT_KEPT = "Queued messages, logs and execution histories do not survive a restart of the sandbox."

__all__ = ["NOT_KEPT", "Journal", "Persistence"]


@dataclass
class Persistence:
    """Keeps one stack's state in a folder; `executions` tells of what died with the last run."""

    folder: Path
    region: str
    journal: Journal = field(init=False)
    items: ItemKeeper = field(init=False)
    objects: ObjectKeeper = field(init=False)
    settings: SettingKeeper = field(init=False)
    executions: ExecutionKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder)
        self.items = ItemKeeper(self.journal, self.region)
        self.objects = ObjectKeeper(self.journal)
        self.settings = SettingKeeper(self.journal, self.region)
        self.executions = ExecutionKeeper(self.journal)

    def restore_settings(self) -> Mapping[str, str]:
        """Read the journal; put secrets and parameters back, before a stack is provisioned.

        Return the digest of what the last template declared for each of them.
        """
        self.journal.open()
        self.settings.restore()
        return self.journal.saved("declared")

    def restore_contents(self, stack: Stack) -> None:
        """Fill the provisioned tables and buckets, and from now on write down every change."""
        for name, digest in stack.declared.items():
            self.journal.put("declared", name, digest)
        self.items.restore()
        self.objects.restore(set(stack.resources.values()))
        self.settings.note()
        storage.item_observers.append(self.items.note)
        storage.object_observers.append(self.objects.note)
        storage.setting_observers.append(self.settings.note)

    def stop(self) -> None:
        """Write nothing down any more."""
        storage.item_observers.remove(self.items.note)
        storage.object_observers.remove(self.objects.note)
        storage.setting_observers.remove(self.settings.note)
        self.journal.close()
