"""The compiled listener-step: keyed random numbers, dot products, slates, the day, the whole catalogue."""
