"""Strings to indices: training applies these layers once, export serves the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.contract.dataset import EVENT_TYPE
from tfrs_app.contract.features import (
    BUILT_IN,
    ITEM_ID,
    Feature,
    FeatureSpec,
    Kind,
    Role,
)

PADDING = 0
"""Index of the empty string: padding of a sequence, or a missing value."""
UNKNOWN = 1
"""Index of every string that the vocabulary lacks."""
FIRST_TOKEN = 2

Vocabularies = Mapping[str, Sequence[str]]


def string_lookup(vocabulary: Sequence[str], name: str) -> tf.keras.layers.StringLookup:
    """Makes the look-up of one vocabulary: 0 padding, 1 unknown, 2... the tokens."""
    return tf.keras.layers.StringLookup(
        # An array: of a list TensorFlow would track every string, at every save.
        vocabulary=np.array(vocabulary, str),
        mask_token="",
        num_oov_indices=1,
        oov_token="\n",  # no vocabulary holds a line break, but one may hold "[UNK]"
        name=name,
    )


class FeatureLookup(tf.keras.layers.Layer):
    """Replaces the strings in a dict of raw inputs by indices; numbers pass unchanged.

    Holds one table a vocabulary: `item_id` serves items and histories alike.
    """

    def __init__(
        self, spec: FeatureSpec, vocabularies: Vocabularies, name: str = "lookup"
    ) -> None:
        super().__init__(name=name, trainable=False)
        self.item_id = string_lookup(vocabularies[ITEM_ID], "item_id_lookup")
        self.event_type = string_lookup(spec.event_types, "event_type_lookup")
        self.categorical = {
            feature.name: string_lookup(
                vocabularies[feature.name], f"{feature.name}_lookup"
            )
            for feature in categorical_features(spec)
        }

    def call(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Looks up every string input; shapes stay as they are."""
        by_column = {ITEM_ID: self.item_id, EVENT_TYPE: self.event_type}
        built_in = {feature.name: by_column[feature.columns[0]] for feature in BUILT_IN}
        tables = built_in | self.categorical
        return {
            name: tables[name](value) if name in tables else value
            for name, value in inputs.items()
        }


def categorical_features(spec: FeatureSpec) -> tuple[Feature, ...]:
    """Returns the declared features that have a vocabulary, of all roles."""
    roles = (Role.QUERY, Role.CANDIDATE, Role.CONTEXT)
    return tuple(f for role in roles for f in spec.of(role, Kind.CATEGORICAL))
