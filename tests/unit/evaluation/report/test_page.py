import json
import re

import pytest

from tests.unit.evaluation.report.documents import (
    customer,
    examples,
    metrics,
    verdict,
)
from tests.unit.evaluation.report.html_reader import Page
from tfrs_app.evaluation.report import page, write_report


def drawn(*customers, **changes):
    return page("tiny", metrics(**changes), examples(*customers))


def test_the_page_is_well_formed_and_loads_nothing():
    text = drawn()
    read = Page(text)
    assert not re.search(r"(src=|url\(|@import|https?:|//)", text)
    references = [value for name, value in read.attributes if name == "href"]
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert references
    assert {f"#{name}" for name in ids} >= set(references)
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text
    assert '<meta name="viewport"' in text


def test_each_picture_has_a_name_and_stands_beside_its_numbers():
    read = Page(drawn())
    pictures = read.tags.count("svg")
    assert pictures > 20
    assert [v for k, v in read.attributes if k == "role"].count("img") == pictures
    labels = [value for name, value in read.attributes if name == "aria-label"]
    assert len(labels) == pictures + 1  # and the navigation
    assert all(labels)
    assert "0.1357, 95 % interval 0.1221 to 0.1493" in labels


def test_the_numbers_are_those_of_metrics_json():
    document = json.loads(json.dumps(metrics()))
    read = Page(page("tiny", document, examples()))
    for number, target in enumerate(("all", "first_purchase")):
        tables = {
            name: read.table(name, number)
            for name in ("Ranking by NDCG@10", "All metrics", "Other lengths",
                         "Longer lists", "Coverage of the first 10",
                         "Popularity of the first 10")
        }  # fmt: skip
        for row in (r for r in document["results"] if r["target"] == target):
            name = row["model"].replace("_", " ")

            def cell(table, column, name=name, tables=tables):
                return tables[table][name][column]

            def told(metric, row=row):
                low, high = row["intervals"][metric]
                return f"{row[metric]:.4f} {low:.4f} to {high:.4f}"

            ranked = cell("Ranking by NDCG@10", "NDCG@10 95 % interval")
            assert ranked == told("ndcg@10")
            assert cell("All metrics", "Recall@10") == told("recall@10")
            assert cell("All metrics", "NDCG@10") == told("ndcg@10")
            assert cell("All metrics", "MRR") == told("mrr")
            assert cell("Other lengths", "Recall@5") == told("recall@5")
            assert cell("Other lengths", "NDCG@5") == told("ndcg@5")
            for k, recall in row["recall_curve"].items():
                assert cell("Longer lists", k) == f"{recall:.3f}"
            coverage = tables["Coverage of the first 10"][name]
            assert coverage[
                "catalogue listed, %"
            ] == f"{row['coverage@10']:.1%}".replace("%", " %")
            assert coverage["Novelty@10"] == f"{row['novelty@10']:.2f}"
            assert coverage["Gini@10"] == f"{row['gini@10']:.2f}"
            popularity = tables["Popularity of the first 10"][name]
            assert [popularity[str(n)] for n in range(1, 5)] == [
                "40 %", "30 %", "20 %", "10 %",
            ]  # fmt: skip
        (sliced,) = read.table("Slices, NDCG@10", number).values()
        assert sliced["customers"] == "40"
        assert sliced["retrieval"] == "0.0271"  # 0.1357 / 5
        assert sliced["item knn"] == "0.0247"
        assert sliced["best of all"] == "0.0271 retrieval"


def test_the_best_of_a_column_is_bold_and_axes_reach_the_highest_interval():
    text = drawn()
    assert text.count('<span class="best">0.1357</span>') == 2  # one a target
    assert '<span class="best">0.1234</span>' not in text
    ranking = Page(text).table("Ranking by NDCG@10")
    assert next(iter(ranking["popular"])) == "0 0.15"  # 0.1357 * 1.1 = 0.1493


def test_models_stand_in_the_order_of_their_ndcg():
    read = Page(drawn())
    assert list(read.table("Ranking by NDCG@10")) == [
        "retrieval", "item knn", "popular",
    ]  # fmt: skip


def test_new_items_among_themselves_have_an_order_of_their_own():
    read = Page(drawn())
    assert read.table("New items only") == {
        name: {
            "0 1": "",
            "NDCG@10": ndcg,
            "Recall@10": recall,
            "Recall@10 among all items": "not known",
        }
        for name, ndcg, recall in (
            ("popular", "0.8589", "0.0822"),
            ("item knn", "0.7766", "0.2468"),
            ("retrieval", "0.7643", "0.2714"),
        )
    }
    assert next(iter(read.table("New items only"))) == "popular"
    assert "for the 12 customers who bought one" in read.text
    document = metrics()
    for row in document["results"]:
        row["slices"]["cold_candidates"]["users"] = 0
    assert "New items only" not in page("tiny", document, examples())


def test_verdicts_in_words():
    text = drawn()
    assert text.count("retrieval beats the best baseline") == 2
    assert 'class="card verdict beats"' in text
    sentence = "NDCG@10: beats item knn, +12.3 % (95 % interval +4.5 % to +20.1 %)"
    assert sentence in text
    duels = Page(text).table("retrieval against each baseline")
    assert duels["popular"]["NDCG@10"] == "beats +12.3 %"
    assert duels["popular"]["difference 95 % interval"] == (
        "+0.0123 +0.0045 to +0.0201"
    )


def test_of_equal_baselines_the_one_that_was_judged_best_counts():
    document = metrics()
    for row in document["results"]:
        if row["model"] == "popular":
            row["ndcg@10"] = 0.1234
    for one in document["verdicts"]:
        if one["metric"] == "recall@10":
            one["rival_is_best"] = one["rival"] == "popular"
    text = page("tiny", document, examples())
    assert text.count('<tr class="rival"><th scope="row"><span class="name">item') > 4
    assert '<tr class="rival"><th scope="row"><span class="name">popular' not in text
    assert "NDCG@10: beats item knn" in text
    assert "Recall@10: beats popular" in text


@pytest.mark.parametrize(
    ("outcome", "kind", "told"),
    [
        ("loses to", "loses", "loses to"),
        ("is not distinguishable from", "ties", "undecided"),
    ],
)
def test_a_defeat_and_a_tie_are_called_so(outcome, kind, told):
    text = drawn(
        verdicts=[
            verdict("item_knn", "all", "ndcg@10", outcome, best=True, relative=None,
                    relative_interval=None),
        ]
    )  # fmt: skip
    assert f"retrieval {outcome} the best baseline" in text
    assert f'class="card verdict {kind}"' in text
    short = outcome.removeprefix("is ")
    assert f"NDCG@10: {short} item knn, difference +0.0123" in text
    duels = Page(text).table("retrieval against each baseline")
    assert duels == {
        "item knn": {
            "NDCG@10": told,
            "difference 95 % interval": "+0.0123 +0.0045 to +0.0201",
        }
    }


def test_the_protocol_and_the_tuning_are_told():
    read = Page(drawn())
    for fact in ("2024-02-01 to 2024-03-01 UTC", "2024-03-01 to 2024-03-29 12:30 UTC",
                 "events before 2024-03-01 UTC", "4,321 items", "data123", "run456",
                 "Everything bought 1,500, New to the customer 1,400",
                 "2,000 bootstrap draws of customers, seed 7"):  # fmt: skip
        assert fact in read.text, fact
    (rows,) = [
        rows for title, rows in read.tables if title == "The baselines' parameters"
    ]
    assert rows[1:] == [
        [name, target, "window days 14", validation, test]
        for target in ("Everything bought", "New to the customer")
        for name, validation, test in (
            ("popular", "0.0421", "0.0411"), ("item knn", "0.1244", "0.1234"),
        )
    ]  # fmt: skip


def test_examples_show_texts_with_hits_marked():
    text = drawn(customer("Earl Grey"))
    assert "1 of the 1,400 customers" in text
    assert "drawn at random (seed 7)" in text
    assert "25.0 % have a hit among retrieval's first 10" in text
    assert '<time datetime="2024-02-28">2024-02-28</time><bdi>Earl Grey</bdi>' in text
    hit = '<li class="hit"><span class="rank">1</span><bdi>Earl Grey</bdi>'
    assert f'{hit} <span class="tag">✓ bought</span></li>' in text
    assert '<li><span class="rank">2</span><bdi>Milk</bdi></li>' in text
    assert (
        '<li class="hit"><bdi>Earl Grey</bdi> <span class="tag">✓ listed</span></li>'
        "<li><bdi>Bread</bdi></li>"
    ) in text
    assert "30 earlier events · then bought 3 · hits: retrieval 1 of 2" in text
    assert "and 1 more" in text
    assert "this was not necessary" in text
    replaced = page("tiny", metrics(), examples(replaced=True))
    assert "the last of them was drawn so" in replaced


def test_the_type_of_an_event_is_told_where_there_are_several():
    several = page("tiny", metrics(), examples())
    one = page("tiny", metrics(), examples(several_types=False))
    assert "</bdi> <small>purchase</small></li>" in several
    assert "<small>purchase</small>" not in one


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_report(tmp_path / name, "tiny", metrics(), examples())
    one, two = (tmp_path / name for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_text(encoding="utf-8") == drawn()
