"""Outputs push readings to other systems. No output imports another."""
