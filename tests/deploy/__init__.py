"""A package, so that all its modules share one engine."""
