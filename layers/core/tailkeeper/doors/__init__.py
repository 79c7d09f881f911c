"""Doors into the core: a case as JSON in, its answer out."""
