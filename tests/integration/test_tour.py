"""docs/tour.ipynb runs from top to bottom, and shows what its words promise."""

import re

import nbformat
import pytest

from tests.tour import TOUR, executed


@pytest.fixture(scope="module")
def notebook():
    return executed(nbformat.read(TOUR, as_version=4))


def shown(notebook, words):
    """The outputs of the one code cell that holds some words."""
    (cell,) = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and words in cell.source
    ]
    return cell.outputs


def text_of(outputs):
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in outputs
    )


@pytest.mark.slow
def test_the_towers_learned_the_categories(notebook):
    told = text_of(shown(notebook, "np.fill_diagonal"))
    same, chance = map(int, re.findall(r"(\d+)%", told))
    assert same > 3 * chance


@pytest.mark.slow
def test_the_figures_are_drawn(notebook):
    outputs = shown(notebook, "plt.errorbar")
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
def test_the_saved_model_answers_and_explains(notebook):
    told = text_of(shown(notebook, 'model.ask("recommend"'))
    assert len(re.findall(r"^\d +i\d{6} ", told, flags=re.MULTILINE)) == 5
    told = text_of(shown(notebook, 'told["fate"]'))
    assert " listed rank 1\n" in told


@pytest.mark.slow
def test_the_own_model_learns(notebook):
    told = text_of(shown(notebook, "own.fit"))
    first, last = map(float, re.findall(r"'val_loss': \[([\d.]+), ([\d.]+)\]", told)[0])
    assert last < first


def test_the_notebook_is_small():
    assert TOUR.stat().st_size < 120_000
