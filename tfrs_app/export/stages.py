"""Stages that several signatures go through: traced and saved once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def shared(stage: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a stage as a graph function of its own, which every graph calls.

    A graph that calls it holds one node instead of the stage's, until TensorFlow puts
    them in its place before it first runs. A call whose tensors have other dtypes,
    static shapes or names than those before makes another such function.

    Args:
        stage: of nested tensors, to nested tensors; makes no variables.
    """
    # All control flow is TensorFlow's own, so there is no Python to translate.
    traced = tf.function(stage, autograph=False)
    # Modules save the graph functions that they hold as functions to be called; this
    # one is saved as a part of those that call it.
    return lambda *given: traced(*given)
