"""Meta lead ads (Facebook and Instagram): a thin webhook, and the lead fetched after it."""
