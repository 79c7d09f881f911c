"""Which device, or Tailscale Service, carries an exposure."""
