"""A sampled record of answered requests, as TF Serving configures it."""
