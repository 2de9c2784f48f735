"""What a search may change: keys of `retrieval`, checked before anything is trained."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice, product
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.section import section_inside
from tfrs_app.contract.tune_config import Dimension

SECTION = "retrieval"
NOT_SEARCHED = {
    "retrieval.catch_up_epochs": "they come after validation, which cannot judge them",
    "retrieval.seed": "the luckiest of several seeds is no better on other data",
    "retrieval.validation_k": "figures of different questions cannot be compared",
    "retrieval.validation_target": "figures of different questions cannot be compared",
}
MOST_COMBINATIONS = 10_000
"""Of ends and choices among which one that is possible is looked for."""

Space = Mapping[str, Dimension]


def check_space(space: Space, base: RetrievalConfig) -> None:
    """Checks every key, choice and end of a search.

    Args:
        space: dotted key of the config -> the values to try.
        base: the values of all other keys.

    Raises:
        ValueError: names key, value and remedy.
    """
    for key in space:
        _check_key(key, space)
    ends = {key: values_at_ends(key, dimension) for key, dimension in space.items()}
    tried = [(key, value) for key, values in ends.items() for value in values]
    for key, value in tried:
        fault = _fault(base, key, value)
        _refuse(key, value, fault and f"{fault}; change the values of this key")
    for key, value in tried:
        _refuse(key, value, _conflict(base, {**ends, key: (value,)}))


def with_values(base: RetrievalConfig, values: Mapping[str, Any]) -> RetrievalConfig:
    """Returns a configuration with some of its values replaced.

    Args:
        base: the other values.
        values: dotted key, from `retrieval.` on, -> value.

    Raises:
        ValidationError: a value is impossible, or does not fit another.
    """
    tree = base.model_dump()
    for key, value in values.items():
        *parents, last = key.split(".")[1:]
        node = tree
        for parent in parents:
            # A section that was absent begins with its defaults.
            node[parent] = node[parent] or {}
            node = node[parent]
        node[last] = value
    return RetrievalConfig.model_validate(tree)


def value_at(config: RetrievalConfig, key: str) -> Any:
    """Returns a value as plain data; None below an absent section."""
    node: Any = config.model_dump()
    for part in key.split(".")[1:]:
        node = None if node is None else node[part]
    return node


def interval(key: str, dimension: Dimension) -> tuple[float, float]:
    """Returns the ends of a range, as integers where the key holds one.

    Raises:
        ValueError: the key holds no number, or an end is no integer but should be.
    """
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        raise ValueError(f"tune.space: {key} has choices, not a range")
    kind = _number(_field(key).annotation)
    if kind is None:
        raise ValueError(
            f"tune.space: {key} holds no number, so {low:g} to {high:g} is no range of "
            "it; give a list of choices"
        )
    if kind is float:
        return low, high
    for end in (low, high):
        if not end.is_integer():
            raise ValueError(
                f"tune.space: {key} holds an integer, which {end:g} is not; round it"
            )
    return int(low), int(high)


def values_at_ends(key: str, dimension: Dimension) -> tuple[Any, ...]:
    """Returns the choices, or the two ends of the range."""
    if dimension.choices is not None:
        return dimension.choices
    return interval(key, dimension)


def _check_key(key: str, space: Space) -> None:
    _field(key)
    if key in NOT_SEARCHED:
        raise ValueError(
            f"tune.space: {key} cannot be searched: {NOT_SEARCHED[key]}; drop it"
        )
    inside = [other for other in space if other.startswith(f"{key}.")]
    if inside:
        raise ValueError(
            f"tune.space: {inside[0]} lies inside {key}; search one of the two"
        )


def _field(key: str) -> FieldInfo:
    section, *path = key.split(".")
    if section != SECTION or not path:
        raise ValueError(
            f"tune.space: {key} cannot be searched, only keys below {SECTION}, such as "
            f"{SECTION}.learning_rate: the dataset is made once; drop it"
        )
    known = [f"{SECTION}.{name}" for name in _keys(RetrievalConfig)]
    model: Any = RetrievalConfig
    for part in path:
        if model is None or part not in model.model_fields:
            close = difflib.get_close_matches(key, known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"known keys: {known}"
            raise ValueError(f"tune.space: {key} is an unknown key; {remedy}")
        field: FieldInfo = model.model_fields[part]
        model = section_inside(field.annotation)
    return field


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        inner = section_inside(field.annotation)
        if inner is not None:
            yield from (f"{name}.{below}" for below in _keys(inner))


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yields the types that a value may have, without their annotations."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        for argument in get_args(annotation):
            yield from _alternatives(argument)
    else:
        yield annotation


def _number(annotation: Any) -> type | None:
    kinds = [kind for kind in _alternatives(annotation) if kind in (int, float)]
    return kinds[0] if kinds else None


def _fault(base: RetrievalConfig, key: str, value: Any) -> str | None:
    """Returns what is wrong with a value by itself, whatever the others are."""
    try:
        with_values(base, {key: value})
    except ValidationError as error:
        return next(
            (_message(item) for item in error.errors() if item["loc"] != ()), None
        )
    return None


def _conflict(base: RetrievalConfig, ends: Mapping[str, tuple[Any, ...]]) -> str | None:
    """Returns why no combination of values is possible, or None if one is."""
    fault = None
    for combination in islice(product(*ends.values()), MOST_COMBINATIONS):
        try:
            with_values(base, dict(zip(ends, combination, strict=True)))
        except ValidationError as error:
            fault = _message(error.errors()[0])
        else:
            return None
    return fault


def _refuse(key: str, value: Any, fault: str | None) -> None:
    if fault is not None:
        raise ValueError(f"tune.space: {key} cannot be {value!r}: {fault}")


def _message(item: Any) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
