"""The nine steps of a simulated day, one idea a file; `heritage_sim.economy` calls them in order."""
