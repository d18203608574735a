"""History: what a counter showed at every quarter of an hour, kept for ever."""
