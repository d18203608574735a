"""Checks from the device to a plausible value, and the advice for each fault."""
