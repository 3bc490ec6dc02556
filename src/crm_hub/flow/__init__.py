"""Floor 3: opens transactions, calls connectors, and walks records through the rooms."""
