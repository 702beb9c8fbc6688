"""Who acts: the listener cohort and its kernel, creators and communities."""
