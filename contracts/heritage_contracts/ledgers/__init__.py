"""What every ledger does with an intent, and the ledger on a chain."""
