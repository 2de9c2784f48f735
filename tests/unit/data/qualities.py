"""A quality.json that is small enough to be read in full."""

from tfrs_app.contract.quality import (
    Checked,
    ColumnQuality,
    Histogram,
    ItemQuality,
    Quality,
    TimeQuality,
    Tokens,
    UserQuality,
)

SPANS = ("train", "validation", "test", "after_test")


def tokens(other=0, nulls=0, **listed):
    return Tokens(listed=listed, other=other, nulls=nulls)


def numbers(counts, nulls=0):
    values = sorted(counts)
    return Histogram(
        low=values, high=values, count=[counts[v] for v in values], nulls=nulls
    )


def column(table, kind, distribution, **checked):
    return ColumnQuality(
        table=table,
        kind=kind,
        type="number" if isinstance(distribution, Histogram) else "text",
        columns=["its_column"],
        spans={span: Checked(**counts) for span, counts in checked.items()},
        distribution=distribution,
    )


def events_of(rows, nulls=0, oov=0):
    """All in the test span."""
    empty = {"rows": 0}
    test = {"rows": rows, "nulls": nulls, "oov": oov}
    return {**dict.fromkeys(SPANS, empty), "test": test}


def quality(**changes):
    labels = changes.pop("labels", {"view": 60, "purchase": 40})
    features = {
        "color": column(
            "items",
            "categorical",
            tokens(red=6, blue=2, nulls=2),
            all={"rows": 10, "nulls": 2, "oov": 1},
        ),
        "size": column("items", "numeric", numbers({1: 5, 2: 5}), all={"rows": 10}),
        "store": column("events", "text", None, **events_of(100)),
    } | changes.pop("features", {})
    checked = {span: Checked(**c) for span, c in events_of(100, oov=8).items()}
    return Quality(
        rows={"events": 100, "items": 10},
        features=features,
        contract_columns={
            "price": column("events", "contract", numbers({3: 100}), **events_of(100))
        },
        labels={n: dict.fromkeys(SPANS, 0) | {"test": c} for n, c in labels.items()},
        time=TimeQuality(
            first="2020-01-01T00:00:00+00:00",
            last=changes.pop("last", "2020-01-10T00:00:00+00:00"),
            days=10,
            days_without_events=changes.pop("days_without_events", 0),
            events_a_day={"min": 1.0, "median": 10.0, "max": 19.0},
            hours_of_week=[100, *[0] * 167],
        ),
        items=ItemQuality(
            catalogue=10,
            orphans=changes.pop("orphans", 4),
            top_items=1,
            top_events=50,
            spans=checked,
            popularity=tokens(i1=50, i2=42, other=8),
        ),
        users=UserQuality(
            with_events=20,
            spans=dict.fromkeys(SPANS, 0) | {"test": 20},
            new_in_test=20,
            events_a_user=numbers({5: 20}),
            quantiles={"0.5": 5},
        ),
    )
