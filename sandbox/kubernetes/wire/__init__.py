"""How objects travel: paths, lists, tables, watches, discovery."""
