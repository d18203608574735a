"""This server as the grid meter that batteries, inverters and energy managers ask."""
