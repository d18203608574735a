"""The lines that P1 and D0 share: parity, data sets, numbers, times, identities."""
