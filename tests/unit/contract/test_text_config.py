import pytest
from pydantic import ValidationError

from tfrs_app.contract.text_config import TextConfig

OWN = {"encoder": "/models/own"}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"mode": "top_layers", "top_layers": 2},
        {"mode": "full"},
        {"precision": "int8"},
        {"mode": "full", "precision": "float32"},
        {**OWN, "preprocessor": "https://example.org/pre/3"},
        {"max_tokens": 3},
        {"max_tokens": 512},
        {"warmup_steps": 0},
    ],
)
def test_valid_sections(keys):
    assert TextConfig.model_validate(keys).model_dump(include=set(keys)) == keys


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"mode": "top_layers"}, "top_layers is absent; say how many"),
        ({"top_layers": 2}, "top_layers is 2 but mode is frozen; set mode: top_layers"),
        ({"mode": "full", "top_layers": 2}, "top_layers is 2 but mode is full"),
        ({"mode": "top_layers", "top_layers": 0}, "greater than or equal to 1"),
        ({"mode": "all"}, "'frozen', 'top_layers' or 'full'"),
        ({"mode": "full", "precision": "int8"}, "int8 cannot be trained; set mode"),
        ({**OWN, "precision": "bfloat16"}, "minilm-l6 only, not of '/models/own'"),
        ({"precision": "float16"}, "'float32', 'bfloat16' or 'int8'"),
        ({"preprocessor": "pre"}, "reads texts by itself; drop the preprocessor 'pre'"),
        ({"encoder": ""}, "at least 1 character"),
        ({"max_tokens": 2}, "greater than or equal to 3"),
        ({"max_tokens": 513}, "less than or equal to 512"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"warmup_steps": -1}, "greater than or equal to 0"),
        ({"modes": "full"}, "Extra inputs"),
    ],
)
def test_impossible_sections_are_refused(keys, sentence):
    with pytest.raises(ValidationError, match=sentence):
        TextConfig.model_validate(keys)
