"""Calls that take tf.train.Examples: Classify, Regress and MultiInference."""
