"""Watch MEV as it happens."""
