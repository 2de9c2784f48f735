"""Runs docs/tour.ipynb: `python -m tests.tour` writes it with what its cells show."""

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_output
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "docs" / "tour.ipynb"
PROGRESS_BAR = re.compile(r"[^\n]*[\x08\r][^\n]*")
TEMPORARY = re.compile(r"/[\w/.-]*?tour\w+/")


def executed(notebook, timeout_s=600):
    """The notebook after all cells have run; raises what a cell raises."""
    with TemporaryDirectory() as folder:
        # Sockets in a folder: no port is opened.
        sockets = {"transport": "ipc", "ip": f"{folder}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=timeout_s,
            kernel_name="python3",
            record_timing=False,
            config=Config({"KernelManager": sockets}),
        )
        client.execute(cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return notebook


def tidied(notebook):
    """Without what differs between machines: progress bars, folders, warnings."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = _tidy(cell.outputs)
    return notebook


def _tidy(outputs):
    """Lines that were printed become one output, wherever they came from."""
    kept, printed = [], ""
    for output in outputs:
        if output.output_type == "stream":
            printed += output.text if output.name == "stdout" else ""
        elif output.output_type == "display_data" and "image/png" not in output.data:
            printed += output.data["text/plain"]  # rich
        else:
            if output.output_type == "execute_result":
                output.execution_count = None
            kept.append(output)
    lines = [line for line in PROGRESS_BAR.sub("", printed).splitlines() if line]
    text = TEMPORARY.sub("/tmp/tour/", "\n".join(lines))
    return [new_output("stream", text=f"{text}\n"), *kept] if lines else kept


if __name__ == "__main__":
    tour = tidied(executed(nbformat.read(TOUR, as_version=4)))
    nbformat.write(tour, TOUR)
