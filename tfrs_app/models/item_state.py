"""What is known of every item as of a moment: what funnel and ranker read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.data.co_purchases import CoPurchases
from tfrs_app.data.event_log import NEVER, EventLog
from tfrs_app.data.ragged import padded
from tfrs_app.layers.grouping import NOTHING, grouped
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.layers.trends import ItemTrends, first_seconds
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel

PARTNERS = 20
"""Of an item, those most often bought with it beyond chance."""
SHRINKAGE = 5.0
"""Repeats after which an item's own rhythm counts as much as the shop's."""


class ItemState(tf.Module):
    """Holds what is known of every item, as of a moment; `ItemKnowledge` fills it.

    Args:
        index: int32 `[items]`, the item index of each catalogue row.
        indices: number of item indices.
        co_purchases: of the dataset.
        blocks: widths of the embeddings' blocks.
        columns: number of columns that describe an item.
    """

    def __init__(
        self,
        index: np.ndarray,
        indices: int,
        co_purchases: CoPurchases,
        blocks: Sequence[int],
        columns: int,
    ) -> None:
        super().__init__(name="item_state")
        self.items, self.blocks = len(index), list(blocks)
        row = np.full(indices, NOTHING, np.int32)
        row[index] = np.arange(self.items)
        self.index, self.row = tf.constant(index), tf.constant(row)
        tables = partner_tables(co_purchases, PARTNERS)
        self.partners, self.lift = map(tf.constant, tables)
        self.embeddings = _table([self.items, sum(self.blocks)], tf.float32)
        self.columns = _table([self.items, columns], tf.float32)
        self.popular = _table([self.items], tf.int32)
        self.new = _table([None], tf.int32)

    def partners_of(
        self, row: tf.Tensor, weight: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what is bought with some items, and how much more than by chance.

        Args:
            row: int32 `[batch, n]`, catalogue rows; NOTHING for no item.
            weight: float32 `[batch, n]`, how much each item counts.

        Returns:
            Distinct catalogue rows, int32 `[batch, m]`, NOTHING behind the last; and
            for each the weighted sum of log(1 + lift), float32 `[batch, m]`.
        """
        real = (row != NOTHING)[..., tf.newaxis]
        known = tf.maximum(row, 0)
        partner = tf.where(real, tf.gather(self.partners, known), NOTHING)
        lift = tf.gather(self.lift, known) * weight[..., tf.newaxis]
        together = [tf.shape(row)[0], tf.shape(row)[1] * PARTNERS]
        found = grouped(tf.reshape(partner, together), tf.reshape(lift, [*together, 1]))
        return found.key, found.total[..., 0]


def _table(shape: Sequence[int | None], dtype: tf.DType) -> tf.Variable:
    zeros = tf.zeros([size or 0 for size in shape], dtype)
    return tf.Variable(zeros, trainable=False, shape=shape)


class ItemKnowledge:
    """Knows the shop's events and so what is known of its items at any moment.

    Args:
        model: embeds the items.
        encoded: its dataset.
        config: names the trends' windows.
    """

    def __init__(
        self,
        model: RetrievalModel,
        encoded: EncodedDataset,
        config: RankingConfig,
    ) -> None:
        self._model, self._log = model, encoded.dataset.events
        items = model.catalogue_size
        self._trends = ItemTrends(self._log, items, config.trend_days)
        self._first_s = first_seconds(self._log, items)
        self._new_s = round(config.sources.new_days * SECONDS_PER_DAY)
        # Users in the window of middle length.
        self._popularity = 3 * (len(config.trend_days) // 2) + 1
        self.state = ItemState(
            encoded.catalogue[ITEM_ID],
            encoded.lookup.item_id.vocabulary_size(),
            encoded.dataset.co_purchases,
            model.query_tower.blocks,
            self._trends.width + 2,
        )

    def refresh(self, moment_s: int) -> ItemState:
        """Sets the tables to what was known just before a moment, and returns them.

        The towers' linear factors are fitted to the events before it.
        """
        state = self.state
        self._model.fit_factors(moment_s)
        state.embeddings.assign(self._model.embed_catalogue(moment_s))
        trends = self._trends(tf.constant(moment_s, tf.int64))
        again = rhythm(self._log, state.items, moment_s)
        state.columns.assign(tf.concat([trends, again], axis=1))
        order = tf.argsort(
            trends[:, self._popularity], direction="DESCENDING", stable=True
        )
        state.popular.assign(order)
        new = np.flatnonzero(self._first_s >= moment_s - self._new_s)
        state.new.assign(new.astype(np.int32))
        return state


def rhythm(log: EventLog, items: int, moment_s: int) -> np.ndarray:
    """Returns how and how often each item is had again, float32 `[items, 2]`.

    Columns: log(1 + days) between one user's events of the item, averaged, and the
    share of its events that repeat an earlier one. Both lean to the shop's means.
    """
    past = log.timestamp < moment_s
    item, previous = log.item[past], log.previous[past]
    again = previous != NEVER
    days = (log.timestamp[past][again] - previous[again]) / SECONDS_PER_DAY
    gaps = np.log1p(days)
    repeats = np.bincount(item[again], minlength=items)
    events = np.bincount(item, minlength=items)
    usual = gaps.mean() if len(gaps) else 0.0
    share = again.mean() if len(again) else 0.0
    total = np.bincount(item[again], weights=gaps, minlength=items)
    return np.stack(
        [
            (total + SHRINKAGE * usual) / (repeats + SHRINKAGE),
            (repeats + SHRINKAGE * share) / (events + SHRINKAGE),
        ],
        axis=1,
    ).astype(np.float32)


def partner_tables(
    co_purchases: CoPurchases, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns each item's first partners and log(1 + lift), `[items, width]`."""
    splits, lift = co_purchases.row_splits, np.log1p(co_purchases.lift)
    return (
        padded(splits, co_purchases.other, NOTHING, longest=width),
        padded(splits, lift.astype(np.float32), 0.0, longest=width),
    )
