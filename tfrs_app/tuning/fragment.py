"""The best values as YAML, and as overrides of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.search_space import value_at

FRAGMENT = "best.yaml"


def yaml_of(config: RetrievalConfig, keys: Iterable[str]) -> str:
    """Returns the YAML of some keys, as a shop's config holds them.

    Args:
        config: the values.
        keys: dotted, from `retrieval.` on.
    """
    tree: dict[str, Any] = {}
    for key in keys:
        *parents, last = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value_at(config, key)
    return yaml.safe_dump(tree, sort_keys=False)


def overrides(config: RetrievalConfig, keys: Iterable[str]) -> list[str]:
    """Returns `KEY=VALUE` texts for `--set`."""
    return [f"{key}={_inline(value_at(config, key))}" for key in keys]


def write(path: Path, content: str, origin: str) -> None:
    """Writes a fragment under a line of comment that tells where it comes from."""
    write_atomically(path, f"# {origin}\n{content}".encode())


def _inline(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("...\n").strip()
