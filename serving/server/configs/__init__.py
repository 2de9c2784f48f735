"""Readers of TF Serving's configuration files (protocol buffers as text)."""
