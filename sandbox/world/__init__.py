"""The embedded world outside AWS, put together: `python -m sandbox.world`."""
