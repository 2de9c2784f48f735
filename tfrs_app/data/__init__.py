"""Datasets back from disk: catalogue, vocabularies, histories, training windows."""
