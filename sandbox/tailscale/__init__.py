"""The Tailscale stand-in: the control plane's API v2, with the tailnet behind it."""

from __future__ import annotations

from sandbox.tailscale.standin import Tailscale


__all__ = ["Tailscale"]
