"""Codecs turn bytes into readings. Pure: no clock, no I/O, no logging, no configuration."""
