"""History while the server runs: recorder, pending records, writer, retention."""
