"""Metrics in Prometheus' text format, under TF Serving's names."""
