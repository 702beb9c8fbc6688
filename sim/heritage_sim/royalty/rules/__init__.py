"""One royalty rule a file; every class here that derives from `heritage_sim.royalty.Rule` is registered by its kind."""
