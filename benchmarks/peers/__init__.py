"""Other recommenders and ours on the same questions, judged by one neutral script."""
