"""Keeps DNS records, resolver and split DNS in step with a tailnet gateway: the pure core."""
