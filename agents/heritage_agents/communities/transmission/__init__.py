"""How a practice is handed on: a stock of practising bearers in each community, in rival functional forms."""
