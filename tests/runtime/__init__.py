"""Runs exported models on the libraries that a published model server is made of."""
