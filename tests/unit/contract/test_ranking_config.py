import math

import pytest
from pydantic import ValidationError

from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.ranking_config import RankingConfig


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"cross_layers": 0},
        {"deep_layers": ()},
        {"deep_layers": (8,), "experts": 3},
        {"cross_rank": 4, "parallel": True, "entire_space": True, "content": True},
        {"half_lives_days": (0.5, math.inf), "trend_days": (3.0,)},
        {"score": "purchase * price ** 0.2"},
        {"loss": "pairwise", "calibration": "isotonic"},
        {"sources": {"two_tower": 1, "repeat": 0, "new": 5, "new_days": 0.5}},
        {"target_attention": {"history": 9, "dim": 2, "units": 3}},
        {"cross_features": False},
        {"held_out_users": 0.5, "dropout": 0, "patience": 1},
    ],
)
def test_valid_sections_survive_being_written_with_a_run(keys):
    config = RankingConfig.model_validate(keys)
    known = config.model_dump(include=set(keys), exclude_unset=True)
    assert known == keys
    assert RankingConfig.model_validate_json(config.model_dump_json()) == config


def test_lists_of_a_yaml_become_tuples():
    config = RankingConfig.model_validate(
        {"half_lives_days": [7, math.inf], "trend_days": [7], "deep_layers": [8, 4]}
    )
    assert config.half_lives_days == (7.0, math.inf)
    assert (config.trend_days, config.deep_layers) == ((7.0,), (8, 4))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"cross_layers": 0, "deep_layers": []}, "cross_layers is 0 and deep_layers"),
        ({"experts": 2, "deep_layers": []}, r"experts is 2 but deep_layers is \[\]"),
        ({"cross_layers": -1}, "greater than or equal to 0"),
        ({"cross_rank": 0}, "greater than or equal to 1"),
        ({"deep_layers": [8, 0]}, "greater than or equal to 1"),
        ({"dropout": 1.5}, "less than or equal to 1"),
        ({"half_lives_days": []}, "at least 1 item"),
        ({"half_lives_days": [0]}, "greater than 0"),
        ({"half_lives_days": [math.nan]}, "greater than 0"),
        ({"trend_days": []}, "at least 1 item"),
        ({"trend_days": [math.inf]}, "finite number"),
        ({"loss": "hinge"}, "'binary', 'softmax' or 'pairwise'"),
        ({"calibration": "none"}, "'platt' or 'isotonic'"),
        ({"score": ""}, "is no expression"),
        ({"score": "purchase *"}, "is no expression"),
        ({"score": "log(price)"}, r"holds 'log\(price\)', but only names"),
        ({"horizon_days": 0}, "greater than 0"),
        ({"every_days": math.inf}, "finite number"),
        ({"negatives": 0}, "greater than or equal to 1"),
        ({"held_out_users": 0.0}, "greater than 0"),
        ({"held_out_users": 1.0}, "less than 1"),
        ({"seed": 2**32}, "less than 4294967296"),
        ({"sources": {"two_tower": 0}}, "greater than or equal to 1"),
        ({"sources": {"repeat": -1}}, "greater than or equal to 0"),
        ({"sources": {"new_days": 0}}, "greater than 0"),
        ({"sources": {"trending": 5}}, "Extra inputs"),
        ({"target_attention": {"history": 0}}, "greater than or equal to 1"),
        ({"target_attention": {"dim": 0}}, "greater than or equal to 1"),
        ({"target_attention": {"units": 0}}, "greater than or equal to 1"),
        ({"target_attention": {"heads": 2}}, "Extra inputs"),
        ({"cross_features": "some"}, "valid boolean"),
        ({"layers": [1]}, "Extra inputs"),
    ],
)
def test_impossible_sections_are_refused(keys, sentence):
    with pytest.raises(ValidationError, match=sentence):
        RankingConfig.model_validate(keys)


FEATURES = [
    {"name": "price", "role": "candidate", "kind": "numeric"},
    {"name": "size", "role": "candidate", "kind": "bucketized"},
    {"name": "colour", "role": "candidate", "kind": "categorical"},
    {"name": "title", "role": "candidate", "kind": "text"},
    {"name": "age", "role": "query", "kind": "numeric"},
    {"name": "wait", "role": "context", "kind": "numeric"},
]


def shop(ranking):
    return ShopConfig.model_validate(
        {
            "shop": "corner",
            "data": {
                "events": {"source": "events.csv"},
                "items": {"source": "items.csv"},
                "users": {"source": "users.csv"},
                "split": {
                    "validation_start": "2024-02-01",
                    "test_start": "2024-03-01",
                },
            },
            "event_weights": {"view": 0.5, "purchase": 1.0},
            "features": FEATURES,
            "ranking": ranking,
        }
    )


@pytest.mark.parametrize(
    "score", [None, "purchase", "view + purchase", "purchase * price / size", "-price"]
)
def test_a_score_names_event_types_and_numeric_item_features(score):
    assert shop({"score": score}).ranking.score == score


def test_a_shop_may_have_no_ranker():
    assert shop(None).ranking is None


@pytest.mark.parametrize(
    "name", ["cart", "colour", "title", "age", "wait", "item_id", "Price"]
)
def test_a_score_that_names_anything_else_is_refused(name):
    known = r"\['view', 'purchase', 'price', 'size'\]"
    with pytest.raises(
        ValidationError, match=f"score names {name!r}, which is .*; use some of {known}"
    ):
        shop({"score": f"purchase * {name}"})
