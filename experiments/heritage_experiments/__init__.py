"""The only place that wires: scenarios, runner, store, statistics, report, command line."""
