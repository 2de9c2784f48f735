"""Trainings that `retrieval_training.py` pairs: the TFRS tutorial's and ours."""
