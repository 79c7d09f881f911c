"""The `records` surface: Cloudflare's zones, ours by their marks."""
