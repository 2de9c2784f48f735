"""TF Serving's batching parameters, with its defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise

from tfrs_app.contract.errors import ServerError


@dataclass(frozen=True)
class BatchingParameters:
    """Says how requests are joined into batches.

    Attributes:
        max_batch_size: rows a batch holds at most, and a request unless it is split.
        batch_timeout_micros: how long a batch's first task waits for further ones; 0
            takes what queued while the last batch ran.
        max_enqueued_batches: bounds the queue of a signature, to so many times
            `max_batch_size` rows.
        num_batch_threads: batches that run at the same time; None: one for each core
            that the process may use.
        allowed_batch_sizes: sizes that batches are filled up to, increasing; none: any.
        pad_variable_length_inputs: lets requests share a batch whose other dimensions
            differ.
        enable_large_batch_splitting: takes requests above `max_batch_size` in parts.
        max_execution_batch_size: rows that such parts, and batches, hold at most; None
            is `max_batch_size`.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int | None = None
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int | None = None

    def __post_init__(self) -> None:
        """Checks the parameters.

        Raises:
            ServerError: names the parameter, its value and the remedy.
        """
        for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
            self._check_at_least(name, 1)
        self._check_at_least("batch_timeout_micros", 0)
        if self.max_execution_batch_size is not None:
            self._check_execution_size(self.max_execution_batch_size)
        self._check_allowed_sizes()

    @property
    def threads(self) -> int:
        """Returns how many batches run at the same time in this process."""
        return self.num_batch_threads or len(os.sched_getaffinity(0))

    @property
    def rows_a_batch(self) -> int:
        """Returns how many rows a batch holds at most."""
        return self.max_execution_batch_size or self.max_batch_size

    @property
    def rows_enqueued(self) -> int:
        """Returns how many rows wait for one signature at most."""
        return self.max_enqueued_batches * self.max_batch_size

    def filled_up(self, rows: int) -> int:
        """Returns the allowed batch size that so many rows are filled up to."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)

    def _check_at_least(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if value is not None and value < least:
            raise ServerError(
                f"batching parameter {name} must be at least {least}, got {value}; "
                "raise it or leave it out"
            )

    def _check_execution_size(self, size: int) -> None:
        if not self.enable_large_batch_splitting:
            raise ServerError(
                f"batching parameter max_execution_batch_size {size} only counts for "
                "split requests; set enable_large_batch_splitting or leave it out"
            )
        if not 1 <= size <= self.max_batch_size:
            raise ServerError(
                "batching parameter max_execution_batch_size must lie between 1 and "
                f"max_batch_size {self.max_batch_size}, got {size}; change one of them"
            )

    def _check_allowed_sizes(self) -> None:
        sizes = self.allowed_batch_sizes
        if not sizes:
            return
        if sizes[0] < 1 or any(low >= high for low, high in pairwise(sizes)):
            raise ServerError(
                "batching parameter allowed_batch_sizes must hold increasing numbers "
                f"from 1 on, got {list(sizes)}; sort them"
            )
        if sizes[-1] != self.rows_a_batch:
            raise ServerError(
                "the last of the batching parameter allowed_batch_sizes must be the "
                f"greatest size of a batch, {self.rows_a_batch}, got {sizes[-1]}; "
                "change one of them"
            )
