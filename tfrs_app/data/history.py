"""Many histories of one length out of flat columns, moved block by block.

Gathering a history event by event costs some 17 ns an event. Here every column is held
as a table of overlapping blocks, and a history is a few whole rows of that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import tensorflow as tf

BLOCK = 10
"""Events a block; the tables take so many times the memory of the columns."""


Table: TypeAlias = dict[str, tf.Tensor]
"""`blocks` `[BLOCK * rows, BLOCK]`: row s * rows + r starts at event r * BLOCK + s.

For a text column they hold codes, and `texts` what these stand for.
"""


class HistoryTables:
    """Holds flat columns so that the events before a position are read at once.

    Args:
        columns: event columns `[events]`, the events of one owner in a row.
        owner: int64 `[events]`, which of the `owners` has an event; ascending.
        owners: how many owners there are, int64 scalar.
        history_length: L, the events a history shows.
    """

    def __init__(
        self,
        columns: Mapping[str, tf.Tensor],
        owner: tf.Tensor,
        owners: tf.Tensor,
        history_length: int,
    ) -> None:
        self._length = history_length
        self._blocks = -(-history_length // BLOCK)
        self._owner = owner
        place = tf.range(tf.size(owner, tf.int64)) + (owner + 1) * self._width
        events = tf.size(owner, tf.int64) + owners * self._width
        self._rows = events // BLOCK + 1
        self.tables = {
            name: self._table(values, place) for name, values in columns.items()
        }

    @property
    def _width(self) -> int:
        """Returns the events of a history before it is cut to its length.

        As much padding stands before each owner's events.
        """
        return self._blocks * BLOCK

    def _table(self, values: tf.Tensor, place: tf.Tensor) -> Table:
        texts = {}
        if values.dtype == tf.string:  # moving a text is some ten times as dear
            distinct, code = tf.unique(values)
            texts = {"texts": tf.concat([[""], distinct], axis=0)}
            values = code + 1
        size = (self._rows + 1) * BLOCK
        padded = tf.scatter_nd(place[:, tf.newaxis], values, size[tf.newaxis])
        shifted = [padded[s : s + self._rows * BLOCK] for s in range(BLOCK)]
        blocks = [tf.reshape(part, [-1, BLOCK]) for part in shifted]
        return {"blocks": tf.concat(blocks, axis=0), **texts}

    def first_rows(self, end: tf.Tensor) -> tf.Tensor:
        """Returns the table row in which each event's history starts, int64 `[events]`.

        Args:
            end: int64 `[events]`, position after the last event that the event sees;
                not before the first event of its owner.
        """
        start = end + self._owner * self._width
        return start % BLOCK * self._rows + start // BLOCK


def cut_histories(
    tables: Mapping[str, Table], first_row: tf.Tensor, history_length: int
) -> dict[str, tf.Tensor]:
    """Returns the history of each of the given first rows.

    Args:
        tables: of a `HistoryTables`.
        first_row: int64 `[batch]`.
        history_length: L, as the tables were made for.

    Returns:
        `[batch, L]` a column: oldest first, padded in front with "" or 0.
    """
    blocks = -(-history_length // BLOCK)
    rows = first_row[:, tf.newaxis] + tf.range(blocks, dtype=tf.int64)
    surplus = blocks * BLOCK - history_length
    histories = {}
    for name, table in tables.items():
        wide = tf.reshape(tf.gather(table["blocks"], rows), [-1, blocks * BLOCK])
        history = wide[:, surplus:]
        is_text = "texts" in table
        histories[name] = tf.gather(table["texts"], history) if is_text else history
    return histories
