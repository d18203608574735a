"""What every room may use: clock, time zone, addresses, secrets, a spool on the disk, daemon threads."""
