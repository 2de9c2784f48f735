"""New, changed and gone items in a published model, without training."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.integration.export.conftest import MOMENT, defaults_of, tensor
from tests.program import refusal, tfrs_app

EVEN = ["i0", "i2", "i4", "i6", "i8"]
NEW = "a_new_one"
UNTOUCHED = ["i0", "i6", "i8"]
"""Nothing that the towers read of these is changed, though i0 goes."""
EVERYTHING = 2000


class Shop:
    """A copy of the toy shop's artefacts, to push into."""

    def __init__(self, toy, folder: Path) -> None:
        (before,) = (o for o in toy.overrides if o.startswith("artifacts="))
        self.root = folder / "artifacts"
        shutil.copytree(before.partition("=")[2], self.root)
        kept = [o for o in toy.overrides if o != before]
        sets = [f"artifacts={self.root}", *kept]
        self.options = [part for text in sets for part in ("--set", text)]
        self.options = ["-c", str(toy.config_path), *self.options]
        self.folder, self.pushed, self.loaded = folder, 0, {}

    @property
    def versions(self):
        models = (self.root / "smoke" / "models" / "smoke").iterdir()
        return sorted((m for m in models if m.name.isdigit()), key=lambda m: m.name)

    def table(self, rows):
        self.pushed += 1
        path = self.folder / f"changes_{self.pushed}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def push(self, *rows):
        done = tfrs_app("catalog", "push", str(self.table(rows)), *self.options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, signature, version=-1, **inputs):
        folder = self.versions[version]
        if folder not in self.loaded:
            self.loaded[folder] = tf.saved_model.load(str(folder))
        model = self.loaded[folder]
        given = {name: tensor(name, value) for name, value in inputs.items()}
        answer = model.signatures[signature](
            **{**defaults_of(folder, signature), **given}
        )
        return {name: value.numpy() for name, value in answer.items()}

    def listed(self, signature, **inputs):
        ids = self.ask(signature, k=EVERYTHING, **inputs)["item_id"][0]
        return [item.decode() for item in ids if item]


@pytest.fixture(scope="module")
def shop(toy_run, tmp_path_factory):
    """Two pushes: the second changes what the first brought."""
    shop = Shop(toy_run, tmp_path_factory.mktemp("pushed"))
    thing = {"title": "even thing", "colour": "white", "price": 5.0, "listed": "true"}
    shop.said = [
        shop.push(
            {"sku": NEW, **thing},
            {"sku": "gone_soon", **thing, "listed": "no"},
            {"sku": "i0", "title": "", "colour": "white", "price": 1.0, "listed": "0"},
            {"sku": "i4", **thing, "listed": "False"},
        ),
        shop.push(
            {"sku": "i4", "listed": "true"},
            {"sku": "another", "listed": "true"},
            {"sku": "gone_soon", "listed": "true"},
        ),
        shop.push({"sku": "i2", "price": 990}, {"sku": NEW, "price": 991}),
    ]
    return shop


def test_it_tells_what_became_of_each_row(shop):
    first, second, third = shop.said
    assert "4 items, of which 2 are new, 0 changed, 2 gone, 0 back" in first
    assert "3 items, of which 1 are new, 0 changed, 0 gone, 2 back" in second
    assert "2 items, of which 0 are new, 2 changed, 0 gone, 0 back" in third
    assert len(shop.versions) == 4


@pytest.mark.parametrize("signature", ["recommend", "retrieve", "similar_items"])
def test_new_items_are_listed_and_gone_ones_are_not(shop, signature):
    who = {"item_id": ["i6"]} if signature == "similar_items" else {}
    if not who:
        who = {"history_item_id": [EVEN], "timestamp": [MOMENT]}
    listed = shop.listed(signature, **who)
    assert {NEW, "another", "gone_soon", "i4"} <= set(listed)
    assert "i0" not in listed
    own = 1 if signature == "similar_items" else 0
    assert len(listed) == len(set(listed)) == 1200 + 3 - 1 - own


def test_content_says_whom_a_new_item_is_for(shop):
    even = shop.listed("retrieve", history_item_id=[EVEN], timestamp=[MOMENT])
    odd = [f"i{n + 1}" for n in range(0, 10, 2)]
    odd = shop.listed("retrieve", history_item_id=[odd], timestamp=[MOMENT])
    assert even.index(NEW) < odd.index(NEW)
    assert even.index("gone_soon") < even.index("another")  # says nothing of itself


def test_a_gone_item_still_tells_of_who_had_it(shop):
    asked = {"history_item_id": [UNTOUCHED], "timestamp": [MOMENT]}
    before = shop.ask("embed_query", version=0, **asked)["embedding"]
    after = shop.ask("embed_query", **asked)["embedding"]
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_what_was_not_pushed_is_scored_as_before(shop):
    asked = {"history_item_id": [UNTOUCHED], "timestamp": [MOMENT], "k": EVERYTHING}
    scores = []
    for version in (0, -1):
        answer = shop.ask("retrieve", version, **asked)
        pairs = zip(answer["item_id"][0].tolist(), answer["score"][0], strict=True)
        scores.append(dict(pairs))
    before, after = scores
    touched = {b"i0", b"i2", b"i4", b""}
    for item in before.keys() - touched:
        assert after[item] == pytest.approx(before[item], abs=1e-4), item


def test_changed_columns_filter_and_the_others_stay(shop):
    dear = shop.listed("retrieve", timestamp=[MOMENT], min_price=[500.0])
    assert set(dear) == {"i2", NEW}
    white = shop.listed(
        "recommend",
        timestamp=[MOMENT],
        min_price=[500.0],
        allow_colour=[["white"]],
    )
    assert set(white) == {"i2", NEW}


def test_the_ranker_knows_new_items(shop):
    answer = shop.ask("rank", item_id=[[NEW, "i6", "unheard_of"]], timestamp=[MOMENT])
    new, old, none = answer["score"][0]
    assert new > 0
    assert old > 0
    assert none == 0


def test_a_gone_item_is_said_to_be_gone(shop):
    asked = {"item_id": [["i0", NEW, "unheard_of"]], "timestamp": [MOMENT]}
    told = shop.ask("explain", k=EVERYTHING, **asked)
    assert told["fate"].tolist() == [[b"gone", b"listed", b"unknown"]]


def test_the_same_again_publishes_nothing(shop):
    said = shop.push({"sku": "i2", "price": 990})
    assert "model unchanged" in said
    done = tfrs_app("export", *shop.options)
    assert "model unchanged" in done.stdout


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"sku": "i1"}], "says nothing of its items"),
        ([{"price": 3}], "lacks column 'sku'"),
        ([{"sku": "", "price": 3}], "row 0: no item_id"),
        ([{"sku": "i1", "price": "dear"}], "row 0: unparsable number in price"),
        ([{"sku": "i1", "listed": "perhaps"}], "row 0: listed is 'perhaps'"),
        ([{"sku": "i1", "listed": ""}], "row 0: listed is None"),
        ([{"sku": "i1", "price": 1}, {"sku": "i1", "price": 2}], "in several rows"),
    ],
)
def test_a_bad_table_changes_nothing(shop, rows, sentence):
    before = len(shop.versions)
    (kept,) = (shop.root / "smoke" / "catalogue_updates").glob("*.parquet")
    content = kept.read_bytes()
    told = refusal("catalog", "push", str(shop.table(rows)), *shop.options)
    assert sentence in told
    assert kept.read_bytes() == content
    assert len(shop.versions) == before


def test_without_a_model_there_is_nothing_to_push_into(shop, tmp_path):
    table = shop.table([{"sku": "i1", "price": 2}])
    options = [*shop.options, "--set", f"artifacts={tmp_path}"]
    assert "no model is published" in refusal("catalog", "push", str(table), *options)
