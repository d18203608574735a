"""Who hands readings on beside HTTP. None of them imports another."""
