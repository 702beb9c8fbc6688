"""Merkle trees over payees, and the published data from which anybody can build them again."""
