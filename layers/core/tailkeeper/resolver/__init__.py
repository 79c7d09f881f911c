"""The `resolver` surface: the split-horizon CoreDNS of a cluster."""
