"""From many readers to one centre: what a reader sends (uplink), and who takes it there (collector)."""
