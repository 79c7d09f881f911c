"""Who is told of what happens: the webhook endpoints, each according to its subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.tailscale.courier import Delivery
from sandbox.tailscale.events import node_event, payload, policy_event, trial_event, webhook_event
from sandbox.tailscale.webhooks import is_subscribed, signature


if TYPE_CHECKING:
    from sandbox.tailscale.devices import Device
    from sandbox.tailscale.events import Event
    from sandbox.tailscale.standin import Tailscale
    from sandbox.tailscale.webhooks import Endpoint


@dataclass
class Announcer:
    """Makes events of one tailnet and hands them, signed, to its courier."""

    tailnet: Tailscale

    def node(self, device: Device, *kinds: str, actor: str = "") -> None:
        """Announce events about a device, in one payload."""
        name, at = self.tailnet.tailnet, self.tailnet.now()
        self.send(*(node_event(kind, name, at, device, actor) for kind in kinds))

    def policy(self, old: str, new: str, actor: str) -> None:
        """Announce a new policy file."""
        self.send(policy_event(self.tailnet.tailnet, self.tailnet.now(), old, new, actor))

    def trial(self, endpoint: Endpoint) -> None:
        """Send the test event to one endpoint."""
        self._deliver(endpoint, [trial_event(self.tailnet.tailnet, self.tailnet.now())])

    def endpoint(self, endpoint: Endpoint, kind: str, actor: str) -> None:
        """Tell an endpoint that it was updated or deleted: no subscription can switch this off."""
        event = webhook_event(kind, self.tailnet.tailnet, self.tailnet.now(), actor)
        self._deliver(endpoint, [event])

    def send(self, *events: Event) -> None:
        """Send events of any type to every endpoint that is subscribed to them."""
        for endpoint in self.tailnet.webhooks.all:
            wanted = [event for event in events if is_subscribed(endpoint, event["type"])]
            if wanted:
                self._deliver(endpoint, wanted)

    def _deliver(self, endpoint: Endpoint, events: list[Event]) -> None:
        endpoint_id = endpoint["endpointId"]
        body = payload(endpoint.get("providerType", ""), events)
        secret = self.tailnet.webhooks.secrets[endpoint_id]
        signed = signature(secret, body.encode(), int(self.tailnet.now()))
        self.tailnet.courier.send(Delivery(endpoint_id, endpoint["endpointUrl"], body, signed))
