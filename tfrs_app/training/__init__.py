"""Trainings: from dataset and config to a finished run."""
