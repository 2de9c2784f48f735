import math

import pytest
from pydantic import ValidationError

from tfrs_app.contract.retrieval_config import RetrievalConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"in_batch_negatives": False, "uniform_negatives": 0},
            "in_batch_negatives is false and uniform_negatives is 0.*set uniform_neg",
        ),
        (
            {"learn_temperature": True},
            "learn_temperature is true but similarity is dot.*set similarity: cosine",
        ),
        (
            {"history_encoder": "transformer", "embedding_dim": 6, "history_heads": 4},
            "embedding_dim 6 is no multiple of history_heads 4; change one of them",
        ),
        ({"history_half_lives_days": []}, "at least 1 item"),
        ({"history_half_lives_days": [7, 0]}, "greater than 0"),
        ({"history_half_lives_days": [math.nan]}, "greater than 0"),
        ({"trend_days": [math.inf]}, "finite number"),
        ({"trend_days": [-1]}, "greater than 0"),
        ({"history_dropout": 1.5}, "less than or equal to 1"),
        ({"repeat_weight": -0.5}, "greater than or equal to 0"),
        ({"norm_penalty": -1}, "greater than or equal to 0"),
        ({"hard_negatives": 0}, "greater than or equal to 1"),
        ({"batch_size": 1}, "greater than or equal to 2"),
        ({"validation_target": "last"}, "'all' or 'first_purchase'"),
        ({"log_q": "guess"}, "'counts', 'streaming' or 'none'"),
        ({"history_encoder": "lstm"}, "'mean', 'attention', 'gru' or 'transformer'"),
        ({"similarity": "euclid"}, "'dot' or 'cosine'"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        RetrievalConfig.model_validate(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"in_batch_negatives": False, "uniform_negatives": 1},
        {"learn_temperature": True, "similarity": "cosine"},
        {"history_encoder": "transformer", "embedding_dim": 6, "history_heads": 3},
        # Only the transformer splits its states among heads.
        {"history_encoder": "attention", "embedding_dim": 6, "history_heads": 4},
        {"history_half_lives_days": [7, math.inf], "trend_days": [0.5, 7]},
        {"example_half_life_days": 30, "hard_negatives": 5, "repeat_weight": 0},
    ],
)
def test_what_fits_survives_being_written_with_a_run(settings):
    config = RetrievalConfig.model_validate(settings)
    assert RetrievalConfig.model_validate_json(config.model_dump_json()) == config
