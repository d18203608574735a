"""Removes identities and secrets from telegrams and texts."""
