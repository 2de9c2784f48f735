"""Hyper-parameter search: which values of the config's keys validate best."""
