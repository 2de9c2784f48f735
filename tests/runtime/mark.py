"""Says which tests need the published server's libraries."""

import pytest

from tests.runtime.libraries import COMPLETE, FOLDER

needs_libraries = pytest.mark.skipif(
    not (FOLDER / COMPLETE).exists(), reason="`make test-runtime` fetches the libraries"
)
