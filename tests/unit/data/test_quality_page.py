import itertools
import re
from html.parser import HTMLParser

from tests.unit.data.qualities import column, events_of, numbers, quality, tokens
from tfrs_app.data.drift import Drift
from tfrs_app.data.gates import Verdict
from tfrs_app.data.quality_bars import number_bars, shown_edges, token_bars
from tfrs_app.data.quality_page import page
from tfrs_app.data.validation import Validation, by_oddness, suspicions

HOSTILE = "<script>alert('x')</script>"
ROWS = dict.fromkeys(
    ("rows_in", "rows_out", "filtered", "rejected", "duplicates", "returned"), 5
)


def validation(**changes):
    given = {
        "shop": "tiny",
        "identity": "abc",
        "quality": quality(),
        "counts": {"events": {**ROWS, "duplicates": 0}},
        "previous": None,
        "drift": (),
        "verdicts": (),
    }
    return Validation(**(given | changes))


class Tags(HTMLParser):
    """Collects tags, attributes and whether each tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.attributes, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_hostile_values_stay_text():
    features = {
        HOSTILE: column("events", HOSTILE, tokens(**{HOSTILE: 5}), **events_of(100))
    }
    made = quality(features=features, labels={HOSTILE: 3})
    text = page(
        validation(
            shop=HOSTILE,
            identity=HOSTILE,
            quality=made,
            counts={HOSTILE: ROWS},
            previous=HOSTILE,
            drift=(Drift(HOSTILE, 0.5, gated=True),),
            verdicts=(Verdict(HOSTILE, 1, 2, kept=False, remedy=HOSTILE),),
        )
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 10
    tags = Tags(text)
    assert not tags.open
    assert "script" not in tags.seen
    assert not any(name.startswith("on") for name, _ in tags.attributes)


def test_the_page_loads_nothing():
    text = page(validation())
    assert not re.search(r"(src|href|url\(|@import|https?:)", text)
    assert '<meta name="viewport"' in text
    assert "prefers-color-scheme:dark" in text


def test_figures_stand_on_the_page():
    text = page(validation(previous="old", drift=(Drift("color", 0.3, gated=True),)))
    for figure in ("no value 20.0 %", "unknown 12.5 %", "4 of 10 items (40.0 %)",
                   "drift 0.30", "red 75.0 %", "most frequent 1 items have 50.0 %",
                   "20 of the test span"):  # fmt: skip
        assert figure in text, figure
    assert "old" in text


def test_gates_stand_on_the_page():
    many = Verdict("data.gates.min_events", 1_000_000, 713_096, kept=False, remedy="")
    text = page(validation(verdicts=(many,)))
    assert "<td>713,096</td><td>1,000,000</td>" in text
    assert "not kept" in text


def test_what_is_odd_comes_first():
    found = validation(
        quality=quality(days_without_events=3, orphans=9),
        previous="old",
        drift=(Drift("size", 0.3, gated=True), Drift("color", 0.12, gated=True)),
        verdicts=(Verdict("data.gates.x", 1, 2, kept=False, remedy="mend it"),),
    )
    assert suspicions(found) == [
        "data.gates.x: 2 is beyond the limit 1; mend it, or change the limit",
        "size changed since dataset old (PSI 0.30)",
        "color moved since dataset old (PSI 0.12)",
        "events.price: all rows have the same value",
        "3 of 10 days without events",
        "90.0 % of the catalogue has no event",
        "event type 'view' has no event in the training span",
        "event type 'purchase' has no event in the training span",
    ]
    assert by_oddness(found)[:3] == ["size", "color", "item_id"]


def test_empty_columns_and_much_of_the_unknown_are_odd():
    features = {
        "gone": column("events", "categorical", tokens(nulls=90, a=10),
                       **events_of(100, nulls=90, oov=2)),
    }  # fmt: skip
    told = suspicions(validation(quality=quality(features=features)))
    assert "gone: 90.0 % of events have no value" in told
    assert "gone: 20.0 % outside the vocabulary" in told


def test_bars_show_each_count_relative_to_the_greatest():
    found = token_bars(tokens(a=48, b=12))
    assert re.findall(r' height="([\d.]+)"', found) == ["48.0", "12.0"]
    assert "<title>b: 12</title>" in found


def test_bars_of_many_numbers_have_equal_widths_within_the_percentiles():
    spread = numbers(dict.fromkeys(range(1000), 1) | {10**6: 1})
    edges = shown_edges(spread)
    assert len(edges) == 23
    assert {round(b - a, 6) for a, b in itertools.pairwise(edges)} == {
        round(edges[1] - edges[0], 6)
    }
    assert edges[-1] < 1000
    assert number_bars(numbers({1: 3, 7: 1})).count("<rect") == 2
    assert number_bars(numbers({1: 3})).count("<rect") == 1
