"""The one place that holds the version; setup.py and the manifests read it."""

__version__ = "0.2.0"
