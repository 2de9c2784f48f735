"""Keras layers: look-ups, feature inputs, history pooling, loss corrections."""
