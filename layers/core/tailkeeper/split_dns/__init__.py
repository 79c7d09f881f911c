"""The `split-dns` surface: whom the tailnet asks for a domain."""
