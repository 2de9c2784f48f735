import math

from tests.unit.evaluation.report.documents import (
    examples,
    metrics,
    result,
    verdict,
)
from tests.unit.evaluation.report.html_reader import Page
from tfrs_app.evaluation.report import page
from tfrs_app.evaluation.report.examples import Customer, Entry, Event

HOSTILE = "<script>alert('x')</script>\"&"


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
