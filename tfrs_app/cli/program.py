"""What a user types to run this program again, so that a hint can be copied."""

import os
import shutil
import sys
from pathlib import Path

NAME = "tfrs-app"


def program() -> str:
    """Returns `tfrs-app` if it is on the PATH, else the way it was started."""
    if shutil.which(NAME):
        return NAME
    started = Path(sys.argv[0])
    if started.name == NAME:
        return os.path.relpath(started)
    return f"{os.path.relpath(sys.executable)} -m tfrs_app"
