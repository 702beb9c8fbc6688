"""Listeners as arrays: who they are, how a shard of them lives its days, and what may be looked at."""
