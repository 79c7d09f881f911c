"""The tailnet's data path: how a machine reaches a device, as tailscaled's proxies do it."""
