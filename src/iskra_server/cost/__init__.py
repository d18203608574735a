"""What electricity costs: contracts, and exact arithmetic on the energy of quarters of an hour."""
