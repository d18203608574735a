"""What is measured: registers, units, identity, normalisation, guard."""
