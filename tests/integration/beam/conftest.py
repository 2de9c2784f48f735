"""What spares the many small pipelines of these tests a third of their set-up."""

from functools import cache
from unittest.mock import patch

import pytest
from apache_beam.transforms import core


@pytest.fixture(scope="session", autouse=True)
def _remembered_signatures():
    """Beam asks for the signatures of the same functions, thousands a pipeline."""
    with patch.object(core, "get_signature", cache(core.get_signature)):
        yield
