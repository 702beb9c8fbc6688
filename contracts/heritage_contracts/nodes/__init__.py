"""Chains of our own: embedded in this process, or a managed Anvil; and faults between them and the client."""
