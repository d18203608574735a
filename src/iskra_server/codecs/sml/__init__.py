"""SML telegrams (BSI TR-03109-1 annex IV)."""
