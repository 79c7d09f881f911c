"""The patch formats that do not track owners: merge, JSON and strategic merge."""
