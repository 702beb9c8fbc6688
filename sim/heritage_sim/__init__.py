"""The world: the economy and its day, royalty rules, metrics, sharding and its executors."""
