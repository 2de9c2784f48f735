"""The same dataset made in two other ways, and what all ways must agree on."""
