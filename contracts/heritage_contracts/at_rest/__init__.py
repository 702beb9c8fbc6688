"""A ledger as a folder: put down, read, brought up again and claimed from."""
