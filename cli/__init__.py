"""The operator's command, `tailkeeper`."""
