"""Many readers and one central server: `edge/` sends closed quarters, `central/` collects, stores and queries them."""
