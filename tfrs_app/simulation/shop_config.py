"""The YAML file that a simulated shop comes with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from tfrs_app.simulation.options import START, ShopSize

TEMPLATE = """\
# A made shop of which the truth is known: `tfrs-app simulate` writes its tables, with
# tastes, seasons, launches, stock-outs and position bias. docs/simulate.md tells more.
shop: simulated

data:
  events: {{source: {events}}}
  items: {{source: {items}}}
  users: {{source: {users}}}
  split:
    validation_start: {validation_start}
    test_start: {test_start}

event_weights: {{view: 0.1, cart: 0.5, purchase: 1.0}}

features:
  - {{name: category, role: candidate, kind: categorical}}
  - {{name: price, role: candidate, kind: bucketized}}
  - {{name: description, role: candidate, kind: text}}
  - {{name: segment, role: query, kind: categorical, dim: 8}}
  - {{name: timestamp, role: context, kind: timestamp, dim: 8}}

retrieval:
  history_length: 50
  batch_size: 1024
  uniform_negatives: 512
  trend_days: [7, 28]
  epochs: 8
  catch_up_epochs: 1

# Views, carts and purchases are three tasks; a purchase is a part of the carts. What
# pages showed is learned from too.
ranking: {{loss: binary, entire_space: true, impressions: {{source: {impressions}}}}}

export: {{index: {index}}}
"""
LEAST_ITEMS_FOR_SCANN = 1000


def config_text(size: ShopSize, tables: Path) -> str:
    """Returns the YAML of a shop of some size whose tables lie in a folder."""
    test_start = START + timedelta(days=size.days - size.window_days)
    validation_start = test_start - timedelta(days=size.window_days)
    sources = {
        name: _scalar((tables / f"{name}.parquet").as_posix())
        for name in ("events", "items", "users", "impressions")
    }
    return TEMPLATE.format(
        **sources,
        validation_start=f"{validation_start:%Y-%m-%d}",
        test_start=f"{test_start:%Y-%m-%d}",
        index="scann" if size.items >= LEAST_ITEMS_FOR_SCANN else "exact",
    )


def _scalar(text: str) -> str:
    """Returns a text as YAML takes it inside braces: JSON's quotes where needed."""
    plain = all(c.isalnum() or c in "/._-" for c in text)
    return text if plain else json.dumps(text)
