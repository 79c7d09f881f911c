"""One module per outside service; clients are passed in."""
