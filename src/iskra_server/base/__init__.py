"""Basics that every package may use: clocks, time zone, addresses, secrets, a disk spool, threads, retry delays."""
