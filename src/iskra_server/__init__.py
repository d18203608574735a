"""ISKRA Electricity Server: reads an electricity meter and serves what it says."""

__version__ = "0.1.0"
