"""Models: which versions there are, how they live and die, and how one is run."""
