"""Royalties of real usage: a user's own files through rules, statement, contract and claims."""
