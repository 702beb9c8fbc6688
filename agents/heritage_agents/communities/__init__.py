"""Communities: Mesa agents who set terms, vote, and hand on their practice."""
