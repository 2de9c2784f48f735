"""Load, limit and rival of the embedded server."""
