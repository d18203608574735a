"""Telegrams and texts without identities and secrets."""
