"""History while the server runs: from samples to the ledger, and from there through a writer to the database."""
