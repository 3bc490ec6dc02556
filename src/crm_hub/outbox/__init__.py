"""Step 7: changes become writes due at other systems. Pure."""
