"""What a dataset remembers of its config, so that it can be made again from itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.dataset import RECIPE

_TABLES = ("events", "items", "users")


def write_recipe(folder: Path, config: ShopConfig) -> None:
    """Writes all of the config that decides the dataset, but for where tables lie."""
    recipe = config.model_dump(
        mode="json",
        include={"shop", "data", "event_weights", "features"},
        exclude={"data": {"gates"}},  # they judge what is made, and change nothing
    )
    data: dict[str, Any] = recipe["data"]
    for name in ("since", "base"):
        del data[name]
    for table in _TABLES:
        data[table] = data[table] and {"source": "."}
    data["events"]["event_type"] = next(iter(config.event_weights))
    write_atomically(folder / RECIPE, json.dumps(recipe, indent=2).encode())


def read_recipe(folder: Path) -> ShopConfig:
    """Returns the config of a dataset, whose tables are the dataset itself."""
    return ShopConfig.model_validate_json((folder / RECIPE).read_bytes())
