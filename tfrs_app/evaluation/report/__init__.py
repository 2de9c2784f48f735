"""`report.html`: what was measured, for a person who has to decide."""

from __future__ import annotations

from tfrs_app.evaluation.report.examples import Examples, examples_of
from tfrs_app.evaluation.report.page import page, write_report

__all__ = ["Examples", "examples_of", "page", "write_report"]
