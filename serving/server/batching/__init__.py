"""Batches across requests, with TF Serving's parameters."""
