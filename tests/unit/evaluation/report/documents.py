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
