"""Runs the command line: `python -m tfrs_app`."""

from tfrs_app.cli import main

main()
