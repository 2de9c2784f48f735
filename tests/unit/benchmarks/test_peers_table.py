"""The page shows what the results hold, where ours loses too."""

import json
from pathlib import Path

import pytest

from benchmarks.peers.files import TARGETS
from benchmarks.peers.rivals import RIVALS
from benchmarks.peers.table import (
    BEGIN,
    END,
    UNKNOWN,
    against,
    cost,
    markdown,
    placed,
    quality,
)

ROOT = Path(__file__).parents[3]
RESULTS = sorted((ROOT / "benchmarks" / "peers" / "results").glob("*.json"))
PAGE = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")


def rival(title, ndcg, minus_funnel, training):
    found = {
        "metrics": {"ndcg@20": ndcg, "recall@20": 0.2, "recall@100": 0.3, "mrr": 0.4},
        "intervals": {"ndcg@20": [ndcg - 0.01, ndcg + 0.01]},
        "minus_funnel": minus_funnel,
        "training": training,
        "peak_mib": 1234.5 if training else None,
        "requests": {
            "1": {"wall_ms": 1.25, "cpu_ms": 2.04},
            "32": {"wall_ms": 1, "cpu_ms": 31.6},
        },
    }
    return {"title": title, "targets": dict.fromkeys(TARGETS, found)}


@pytest.fixture
def results():
    return {
        "rivals": [
            rival("ours", 0.1, [0, 0], None),
            rival("theirs", 0.2, [0.05, 0.15], {"cpu_s": 9876.5, "wall_s": 12.1}),
        ]
    }


def test_the_best_stands_first_whoever_it_is(results):
    lines = quality(results, "all").splitlines()
    assert lines[2] == (
        "| theirs | 0.2000 | 0.1900 to 0.2100 | 0.2000 | 0.3000 | 0.4000 | better |"
    )
    assert lines[3].startswith("| ours | 0.1000")
    assert lines[3].endswith("itself |")


def test_costs_that_nobody_measured_are_said_to_be_so(results):
    lines = cost(results).splitlines()
    assert lines[2] == f"| ours | {UNKNOWN} | {UNKNOWN} | 2.0 (1.2) | 32 (1.0) |"
    assert lines[3] == "| theirs | 9,876 (12) | 1,234 | 2.0 (1.2) | 32 (1.0) |"


def test_who_has_no_results_is_named(results):
    results["rivals"] = [{**row, "name": "als"} for row in results["rivals"]]
    last = markdown(results).splitlines()[-1]
    assert last.startswith("No results yet: item-kNN (implicit), BPR")
    assert "ALS" not in last


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ([0.1, 0.2], "better"),
        ([-0.2, -0.1], "worse"),
        ([-0.1, 0.1], "not distinguishable"),
        ([0.0, 0.0], "itself"),
    ],
)
def test_a_difference_counts_if_its_interval_is_on_one_side(interval, words):
    assert against(interval) == words


def test_a_page_without_marks_is_refused():
    assert placed(f"a\n{BEGIN}old{END}b", "new") == f"a\n{BEGIN}\nnew\n{END}b"
    with pytest.raises(ValueError, match="lacks"):
        placed("a page", "new")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_page_shows_the_results_that_are_kept(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert markdown(document) in PAGE
    assert {r["name"] for r in document["rivals"]} <= {r.name for r in RIVALS}


def test_results_are_kept():
    assert RESULTS
