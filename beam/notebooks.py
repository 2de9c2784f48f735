"""Beam's own notebook mode, kept out: a job is the same program wherever it is called.

In a notebook Beam writes the cell's number into each step's label. For that it imports
its interactive module and with it its dataframes, which fail to import beside a pandas
that they do not know: 2.77 beside pandas 3 has `DataFrame` without `first`, as once
https://github.com/apache/beam/issues/27221. May go when `import
apache_beam.runners.interactive.interactive_environment` works with the pinned versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apache_beam.pipeline as beams_own

_HOOK = "alter_label_if_ipython"


@contextmanager
def plain_labels() -> Iterator[None]:
    """Has Beam label steps in a notebook as it does in a program."""
    kept = getattr(beams_own, _HOOK)
    setattr(beams_own, _HOOK, lambda *_: None)
    try:
        yield
    finally:
        setattr(beams_own, _HOOK, kept)
