"""Floor 4: the crm-hub command."""
