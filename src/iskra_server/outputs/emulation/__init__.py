"""Devices that this server stands in for: grid meters that batteries, wallboxes and energy managers already know."""
