"""Open-loop load on a model server: requests leave on time, whatever comes back."""
