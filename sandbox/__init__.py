"""The embedded world: AWS, tailnet, Cloudflare, Kubernetes, DNS on one machine; not deployed."""
