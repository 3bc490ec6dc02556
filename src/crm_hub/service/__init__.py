"""Floor 4: the HTTP door."""
