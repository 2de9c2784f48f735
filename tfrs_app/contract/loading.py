"""Reads a YAML file plus `--set key=value` overrides into a `ShopConfig`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.section import section_inside


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice: plain YAML silently keeps the last one."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        keys = [
            self.construct_object(key, deep=True)
            for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"
        ]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def load_config(path: Path, overrides: Sequence[str] = ()) -> ShopConfig:
    """Reads and validates a shop's configuration.

    Args:
        path: the YAML file.
        overrides: `dotted.key=value` texts; the value is read as YAML.

    Raises:
        ConfigError: names the file, the key, the value and the remedy.
    """
    tree = _read_yaml(path)
    for override in overrides:
        _apply(tree, override)
    try:
        return ShopConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_sentences(path, tree, error)) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file; pass -c configs/<shop>.yaml"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        tree = yaml.load(text, Loader=_UniqueKeyLoader)  # a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 30 February
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: must hold keys and values, e.g. `shop: my_shop`")
    return tree


def _apply(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"--set {override!r}: expected KEY=VALUE, e.g. retrieval.epochs=2"
        )
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(
            f"--set {override!r}: the value of {key} is not YAML: {error}"
        ) from error
    *parents, last = key.split(".")
    node: Any = tree
    for parent in parents:
        node = _child(node, parent, override)
        if not isinstance(node, dict | list):
            raise ConfigError(f"--set {override!r}: {parent!r} holds no keys")
    if isinstance(node, list):
        node[_place(node, last, override)] = value
    else:
        node[last] = value


def _child(node: Any, key: str, override: str) -> Any:
    if isinstance(node, list):
        return node[_place(node, key, override)]
    return node.setdefault(key, {})


def _place(node: list[Any], key: str, override: str) -> int:
    if not key.isdecimal() or int(key) >= len(node):
        raise ConfigError(
            f"--set {override!r}: {key!r} is no place in a list of {len(node)}; count "
            "from 0"
        )
    return int(key)


def _sentences(path: Path, tree: Any, error: ValidationError) -> str:
    return "\n".join(
        f"{path}: {_written(item['loc'], tree)}: {_sentence(item['loc'], item)}"
        for item in error.errors()
    )


def _written(location: Iterable[int | str], tree: Any) -> str:
    """Returns a location as the YAML has it: a lone table is no list there."""
    parts = []
    for part in location:
        if isinstance(part, int) and not isinstance(tree, list):
            continue
        parts.append(str(part))
        inside = isinstance(part, int) or (isinstance(tree, dict) and part in tree)
        tree = tree[part] if inside else None
    return ".".join(parts) or "top level"


def _sentence(location: Iterable[int | str], item: Any) -> str:
    if item["type"] == "extra_forbidden":
        *parents, key = location
        known = _keys_at(parents)
        close = difflib.get_close_matches(str(key), known, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"known keys: {known}"
        return f"unknown key; {remedy}"
    if item["type"] == "missing":
        return "this key is required; add it"
    message = str(item["msg"]).removeprefix("Value error, ")
    received = item["input"]
    return (
        message if isinstance(received, dict) else f"{message}; received {received!r}"
    )


def _keys_at(location: Iterable[int | str]) -> list[str]:
    """Returns the keys that the section at a location knows."""
    model: Any = ShopConfig
    for part in location:
        # Other parts are places in a list or keys that the user names.
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = section_inside(annotation) or model
    return sorted(model.model_fields)
