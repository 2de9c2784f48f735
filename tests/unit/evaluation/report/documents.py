"""A metrics.json and examples that are small enough to be read in full."""

from tfrs_app.evaluation.report.examples import Customer, Entry, Event, Examples

MODELS = ("popular", "item_knn", "retrieval")
TARGETS = ("all", "first_purchase")


def result(model, target, ndcg, **changes):
    """One entry of `results`; every number of it differs from model to model."""
    found = {
        "model": model,
        "target": target,
        "recall@5": ndcg + 0.1,
        "recall@10": ndcg + 0.2,
        "ndcg@5": ndcg / 2,
        "ndcg@10": ndcg,
        "mrr": ndcg + 0.3,
        "coverage@10": ndcg / 4,
        "novelty@10": 7.5 + ndcg,
        "gini@10": 0.9 - ndcg,
    }
    if model != "retrieval":
        found |= {"parameters": {"window_days": 14}, "validation": ndcg + 0.001}
    found["intervals"] = {
        name: [found[name] * 0.9, found[name] * 1.1]
        for name in ("recall@5", "recall@10", "ndcg@5", "ndcg@10", "mrr")
    }
    found["slices"] = {
        "tail_items": {"users": 40, "ndcg@5": ndcg / 3, "ndcg@10": ndcg / 5},
        "cold_items": {"users": 0, "ndcg@5": 0.0, "ndcg@10": 0.0},
        "cold_candidates": {"users": 12, "ndcg@10": 0.9 - ndcg, "recall@10": ndcg * 2},
    }
    found["recall_curve"] = {"1": ndcg / 7, "10": ndcg / 6, "100": ndcg}
    found["exposure"] = [0.4, 0.3, 0.2, 0.1]
    return found | changes


def verdict(rival, target, metric, outcome, best, **changes):
    return {
        "model": "retrieval",
        "rival": rival,
        "rival_is_best": best,
        "target": target,
        "metric": metric,
        "outcome": outcome,
        "value": 0.0123,
        "interval": {"low": 0.0045, "high": 0.0201},
        "relative": 0.123,
        "relative_interval": {"low": 0.045, "high": 0.201},
        "words": "as the screen says it",
    } | changes


def metrics(**changes):
    scores = {"popular": 0.0411, "item_knn": 0.1234, "retrieval": 0.1357}
    return {
        "protocol": {
            "validation_start": "2024-02-01T00:00:00+00:00",
            "test_start": "2024-03-01T00:00:00+00:00",
            "test_end": "2024-03-29T12:30:00+00:00",
            "catalogue_items": 4321,
            "users": {"all": 1500, "first_purchase": 1400},
        },
        "dataset": "data123",
        "run": "run456",
        "evaluation": {"ks": [5, 10], "k": 10, "resamples": 2000, "seed": 7},
        "verdicts": [
            verdict(rival, target, f"{metric}@10", "beats", best=rival == "item_knn")
            for target in TARGETS
            for metric in ("ndcg", "recall")
            for rival in ("popular", "item_knn")
        ],
        "results": [
            result(model, target, score)
            for target in TARGETS
            for model, score in scores.items()
        ],
    } | changes


def customer(text="Tea"):
    return Customer(
        events=30,
        history=(Event("2024-02-28", "purchase", text),),
        lists=(
            (Entry(text, hit=True), Entry("Milk", hit=False)),
            (Entry("Soap", hit=False),),
        ),
        bought=3,
        then=(Entry(text, hit=True), Entry("Bread", hit=False)),
    )


def examples(*customers, **changes):
    return Examples(
        **{
            "target": "first_purchase",
            "models": ("retrieval", "item_knn"),
            "customers": customers or (customer(),),
            "users": 1400,
            "seed": 7,
            "hit_share": 0.25,
            "replaced": False,
            "several_types": True,
        }
        | changes
    )


def inside():
    """What stands under `funnel` of a row."""
    shares = {"barred": 0.0, "not_proposed": 0.25, "ranked_low": 0.5, "listed": 0.25}
    intervals = {"ndcg@10": [0.1, 0.2], "recall@10": [0.2, 0.3]}

    def point(diversity):
        return {
            "diversity": diversity,
            "ndcg@10": 0.15 - diversity / 10,
            "recall@10": 0.25,
            "coverage@10": 0.0123,
            "gini@10": 0.97,
            "diversity@10": 0.4 + diversity,
            "distinct": {"main_colour": 2.0 + diversity},
            "intervals": intervals,
            "differences": {"ndcg@10": [-0.07, 0.02], "recall@10": [0.0, 0.0]},
        }

    def source(recall, alone, candidates):
        return {"recall": recall, "alone": alone, "candidates": candidates}

    def stage(head, gini, entries):
        return {"entries": entries, "gini": gini, "head": {"0.01": head, "0.2": 0.9}}

    return {
        "attribution": {
            "purchases": 1204,
            "listable": 903,
            "counts": {name: int(1204 * share) for name, share in shares.items()},
            "shares": shares,
        },
        "sources": {
            "two_tower": source(0.625, 0.125, 300.4),
            "all": source(0.75, 0.75, 390.0),
        },
        "sample_users": 321,
        "diversity_curve": [point(0.0), point(0.5)],
        "stages": {
            "purchases": stage(0.111, 0.8, 12.2),
            "diversified": stage(0.222, 0.95, 10.0),
        },
        "diversified_by": 0.3,
    }


def few_events():
    def row(model, events, ndcg):
        bounds = {"ndcg@10": [ndcg - 0.01, ndcg + 0.01]}
        return {
            "model": model,
            "events": events,
            "ndcg@10": ndcg,
            "recall@10": 0.5,
            "intervals": bounds,
        }

    return {
        "users": 222,
        "rows": [
            row("popular", 0, 0.05), row("popular", None, 0.05),
            row("retrieval", 0, 0.04), row("retrieval", None, 0.12),
        ],
    }  # fmt: skip


def reliability(task, where, **changes):
    return {
        "task": task,
        "where": where,
        "candidates": 54321,
        "happened": 0.0123,
        "expected": 0.0145,
        "auc": 0.812,
        "ece": 0.00098,
        "bins": [
            {"probability": 0.001, "happened": 0.0, "weight": 5.0},
            {"probability": 0.03, "happened": 0.02, "weight": 5.0},
        ],
    } | changes


def with_funnel(**changes):
    """A metrics.json with all that is found out of a funnel."""
    document = metrics(
        few_events={target: few_events() for target in TARGETS},
        probabilities=[
            reliability("view", "held_out"), reliability("add_to_cart", "test"),
        ],
    )  # fmt: skip
    for row in document["results"]:
        if row["model"] == "retrieval":
            row["funnel"] = inside()
    return document | changes
