"""The app's own layer."""
