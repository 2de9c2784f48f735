"""Metrics, baselines and the protocol under which everybody is compared."""
