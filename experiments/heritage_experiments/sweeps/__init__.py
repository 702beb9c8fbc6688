"""A comparison made again at several values of one assumption, and the point at which its answer turns."""
