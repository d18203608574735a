"""Pure arithmetic on counters and time: records, periods, energy, power. No database."""
