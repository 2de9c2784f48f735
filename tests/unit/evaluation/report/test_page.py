import json
import math
import re

import pytest

from tests.unit.evaluation.report.documents import (
    customer,
    examples,
    metrics,
    result,
    verdict,
)
from tests.unit.evaluation.report.html_reader import Page
from tfrs_app.evaluation.report import page, write_report
from tfrs_app.evaluation.report.examples import Customer, Entry, Event

HOSTILE = "<script>alert('x')</script>\"&"


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
        name: {"0 1": "", "NDCG@10": ndcg, "Recall@10": recall}
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


def test_hostile_values_stay_text():
    name = HOSTILE
    document = metrics(dataset=name, run=name)
    document["results"] = [
        result(name, "all", 0.2, parameters={name: name}, validation=0.1),
        result("retrieval", "all", 0.1),
    ]
    document["results"][0]["slices"][name] = {"users": 3, "ndcg@5": 0.1, "ndcg@10": 0.1}
    document["results"][1]["slices"][name] = {"users": 3, "ndcg@5": 0.1, "ndcg@10": 0.1}
    document["verdicts"] = [
        verdict(name, "all", "ndcg@10", "beats", best=True, words=name)
    ]
    odd = Customer(
        events=1,
        history=(Event(name, name, name),),
        lists=((Entry(name, hit=True),), (Entry(name, hit=False),)),
        bought=1,
        then=(Entry(name, hit=True),),
    )
    text = page(name, document, examples(odd, models=(name, name), target=name))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 20
    read = Page(text)
    assert "script" not in read.tags
    assert not any(key.startswith("on") for key, _ in read.attributes)
    assert name in read.text


def test_a_target_that_nobody_was_asked():
    document = metrics()
    document["protocol"]["users"]["first_purchase"] = 0
    document["verdicts"] = [v for v in document["verdicts"] if v["target"] == "all"]
    for row in document["results"]:
        if row["target"] == "first_purchase":
            row["intervals"] = {}
    text = page("tiny", document, examples(target="all"))
    read = Page(text)
    assert "Nobody was asked" in text
    assert "0 customers were asked" in text
    assert [title for title, _ in read.tables].count("Ranking by NDCG@10") == 1


def test_baselines_alone_are_ranked_without_verdicts():
    document = metrics(verdicts=[])
    document["results"] = [r for r in document["results"] if "validation" in r]
    text = page("tiny", document, examples(models=("item_knn",), customers=()))
    read = Page(text)
    assert "item knn is best: NDCG@10 0.1234" in text
    assert "against each baseline" not in read.text
    assert list(read.table("Ranking by NDCG@10")) == ["item knn", "popular"]


def test_one_model_alone():
    document = metrics(verdicts=[])
    document["results"] = [result("retrieval", "all", 0.2)]
    document["protocol"]["users"] = {"all": 3}
    read = Page(page("tiny", document, examples(target="all")))
    assert list(read.table("Ranking by NDCG@10")) == ["retrieval"]
    assert "The baselines' parameters" not in read.text
    assert not [title for title, _ in read.tables if "parameters" in title]


def test_what_is_no_number_is_said_not_drawn():
    nan = math.nan
    document = metrics()
    for row in document["results"]:
        if row["model"] != "popular":
            continue
        for key, value in row.items():
            if isinstance(value, float):
                row[key] = nan
        row["intervals"] = {name: [nan, nan] for name in row["intervals"]}
        row["recall_curve"] = dict.fromkeys(row["recall_curve"], nan)
        row["exposure"] = [nan] * 4
        for part in row["slices"].values():
            part |= dict.fromkeys(set(part) - {"users"}, nan)
    unknown = {"low": nan, "high": nan}
    for one in document["verdicts"]:
        if one["rival"] == "popular":
            one |= {"value": nan, "interval": unknown, "relative": nan,
                    "relative_interval": unknown}  # fmt: skip
    text = page("tiny", document, examples())
    read = Page(text)
    assert "nan" not in text.replace("item knn", "").lower().split("<body>")[1]
    ranking, column = read.table("Ranking by NDCG@10"), "NDCG@10 95 % interval"
    assert list(ranking) == ["retrieval", "item knn", "popular"]
    assert ranking["popular"][column] == "not known not known to not known"
    assert ranking["retrieval"][column].startswith("0.1357 ")
    duels = read.table("retrieval against each baseline")
    assert duels["popular"]["difference 95 % interval"] == (
        "not known not known to not known"
    )


def test_slices_take_the_cut_off_that_they_have():
    document = metrics()
    document["evaluation"]["ks"] = [5, 100]
    for row in document["results"]:
        del row["slices"]["cold_candidates"]
        for part in row["slices"].values():
            del part["ndcg@10"]
    (sliced,) = (
        Page(page("tiny", document, examples())).table("Slices, NDCG@5").values()
    )
    assert sliced["retrieval"] == "0.0452"  # 0.1357 / 3


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
