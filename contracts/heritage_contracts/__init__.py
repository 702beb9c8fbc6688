"""The ledger: reference (pure integers) and real EVM, with the Solidity it runs."""
