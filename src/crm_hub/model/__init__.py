"""Floor 0: the words everything else is written in. No I/O here."""
