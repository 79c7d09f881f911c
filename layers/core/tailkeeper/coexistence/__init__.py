"""Who else writes where we write: found out, named, and not fought."""
