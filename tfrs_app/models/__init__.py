"""The towers and the models made of them."""
