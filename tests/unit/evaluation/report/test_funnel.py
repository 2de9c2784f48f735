import re

import pytest

from tests.unit.evaluation.report.documents import (
    examples,
    inside,
    metrics,
    reliability,
    with_funnel,
)
from tests.unit.evaluation.report.html_reader import Page
from tfrs_app.evaluation.report import page

NEW = (
    "Where purchases are lost", "What the sources propose", "Popularity by stage",
    "Diversity against relevance", "New customers, NDCG@10",
)  # fmt: skip


@pytest.fixture(scope="module")
def text():
    return page("tiny", with_funnel(), examples())


@pytest.fixture(scope="module")
def read(text):
    return Page(text)


def cell(table, start):
    """The row whose heading starts so."""
    (name,) = [name for name in table if name.startswith(start)]
    return table[name]


def test_a_shop_without_a_funnel_has_none_of_its_parts():
    text = page("tiny", metrics(), examples())
    for heading in (*NEW, "Probabilities"):
        assert f">{heading}<" not in text
    assert "probabilities" not in text


def test_each_target_has_each_part_once(text):
    for heading in NEW:
        assert text.count(f"<h3>{heading}</h3>") == 2
    assert text.count('id="probabilities"') == 1
    assert 'href="#probabilities"' in text


def test_fates_are_a_bar_that_fills_the_width(text, read):
    fates = read.table("Where purchases are lost")
    assert cell(fates, "ranked low") == {"share": "50.0 %", "purchases": "602"}
    assert cell(fates, "barred") == {"share": "0.0 %", "purchases": "0"}
    part = r'<rect class="fate-(\w+)" x="([\d.]+)" y="1" width="([\d.]+)"'
    bars = re.findall(part, text)
    place = 0.0
    for name, start, width in bars[: len(bars) // 2]:
        assert float(start) == pytest.approx(place)
        assert float(width) == 100 * inside()["attribution"]["shares"][name]
        place += float(width)
    assert place == pytest.approx(100)
    assert text.count("at most 75.0 % could be listed") == 2
    labels = [value for name, value in read.attributes if name == "aria-label"]
    told = "barred 0.0 %, not proposed 25.0 %, ranked low 50.0 %, listed 25.0 %"
    assert labels.count(told) == 2


def test_sources_and_stages_have_their_numbers(read):
    sources = read.table("What the sources propose", 1)
    towers = cell(sources, "two tower")
    assert towers["purchases held"] == "62.5 %"
    assert towers["by no other"] == "12.5 %"
    assert towers["candidates"] == "300"
    assert cell(sources, "all")["by no other"] == ""
    stages = read.table("Popularity by stage")
    assert cell(stages, "purchases")["head 1 %"] == "11.1 %"
    assert cell(stages, "diversified first 10 with diversity 0.3") == {
        "head 1 %": "22.2 %", "head 20 %": "90.0 %", "Gini": "0.950",
        "items each": "10",
    }  # fmt: skip


def test_the_curve_has_a_dot_a_setting(text, read):
    rows = read.table("Diversity against relevance")
    assert list(rows) == ["0", "0.5"]
    assert rows["0"]["difference"] == ""
    assert rows["0.5"]["NDCG@10"] == "0.1000 0.1000 to 0.2000"
    assert rows["0.5"]["difference"] == "-0.0500 -0.0700 to +0.0200"
    assert rows["0.5"]["Diversity@10"] == "0.900"
    assert rows["0.5"]["Coverage@10"] == "1.2 %"
    assert rows["0.5"]["distinctmain colour"] == "2.5"
    part = text[text.index("Diversity against relevance") :]
    part = part[: part.index("</svg>")]
    assert part.count("<circle") == 2
    assert part.count('class="span m0"') == 2
    assert ">0.5</text>" in part


def test_a_shop_without_contents_has_a_curve_by_coverage():
    found = inside()
    for point in found["diversity_curve"]:
        del point["diversity@10"]
    document = with_funnel()
    document["results"][2]["funnel"] = found
    read = Page(page("tiny", document, examples()))
    assert "Diversity@10" not in read.table("Diversity against relevance")["0"]
    labels = [value for name, value in read.attributes if name == "aria-label"]
    assert any("share of the catalogue" in label for label in labels)


def test_new_customers_stand_in_the_order_of_those_without_events(text, read):
    rows = read.table("New customers, NDCG@10")
    assert list(rows) == ["popular", "retrieval"]
    assert rows["retrieval"] == {
        "0": "0.0400 0.0300 to 0.0500", "all": "0.1200 0.1100 to 0.1300",
    }  # fmt: skip
    part = text[text.index("New customers") :]
    assert '<span class="best">0.0500</span>' in part
    assert '<span class="best">0.1200</span>' in part


def test_probabilities_have_a_plot_a_task(text, read):
    rows = read.table("Probabilities")
    assert cell(rows, "add to cart, test window, as served") == {
        "candidates": "54,321", "expected": "1.45 %", "came true": "1.23 %",
        "ECE": "0.00098", "AUC": "0.812",
    }  # fmt: skip
    assert cell(rows, "view, held-out customers")
    part = text[text.index('id="probabilities"') :]
    assert part.count("<figcaption>") == part.count('class="even"') == 2


def test_nothing_that_came_true_is_drawn_at_the_edge():
    bins = [{"probability": 0.0, "happened": 0.0, "weight": 1.0}]
    document = with_funnel(probabilities=[reliability("view", "test", bins=bins)])
    text = page("tiny", document, examples())
    part = text[text.index('id="probabilities"') :]
    assert re.search(r'<circle cx="48.0" cy="254.0"', part)
    assert "nan" not in part[: part.index("</figure>")]


def test_new_items_are_told_among_all_items_too():
    document = with_funnel()
    document["results"][0]["slices"]["cold_items"] = {"users": 3, "recall@10": 0.0625}
    read = Page(page("tiny", document, examples()))
    rows = read.table("New items only")
    assert rows["popular"]["Recall@10 among all items"] == "0.0625"
