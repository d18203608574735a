"""What commands share: screens, options, text."""
