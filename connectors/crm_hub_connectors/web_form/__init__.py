"""Web forms: what visitors type into the company's own site."""
