"""Google Ads lead forms, delivered by webhook."""
