"""Answers requests on the published server's libraries; JSON comes in and goes out.

`python -m tests.runtime MODEL [scann] [tensorflow_text]` takes a list of runs and gives
a list of answers; `ops` in the place of MODEL gives the ops that there are.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from tests.runtime.c_api import Library, Model
from tests.runtime.exchange import Run, plain
from tests.runtime.libraries import CORE, FOLDER, libraries


def main(arguments: list[str]) -> None:
    """Writes the answers of a model, or the serialised OpList."""
    folder, *names = arguments
    ops = [path for name in names for path in libraries(FOLDER, name)]
    library = Library(libraries(FOLDER, CORE), ops)
    if folder == "ops":
        known = base64.b64encode(library.ops()).decode()
        json.dump({"version": library.version, "ops": known}, sys.stdout)
        return
    runs = [Run.of(value) for value in json.load(sys.stdin)]
    model = Model(library, Path(folder))
    answers = []
    for run in runs:
        values = model.run(run.feeds, list(run.fetches.values()))
        answers.append({k: plain(v) for k, v in zip(run.fetches, values, strict=True)})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
