"""Screens, options and texts that commands share."""
