"""Serves exported recommenders over TF Serving's protocol, and asks them."""
