"""Which batching parameters a version of a model gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from serving.server.batching.parameters import BatchingParameters
from serving.server.configs.batching import PER_MODEL_FILE, read_batching_parameters
from tfrs_app.contract.errors import ServerError


@dataclass(frozen=True)
class BatchingOptions:
    """Says whether requests are batched, and how.

    Attributes:
        common: `--enable_batching` and `--batching_parameters_file`; None: requests
            run one by one.
        per_model: `--enable_per_model_batching_parameters`: a version's own file counts
            instead, and a version without one is not batched.
    """

    common: BatchingParameters | None = None
    per_model: bool = False

    def __post_init__(self) -> None:
        """Checks that per-model parameters come with batching.

        Raises:
            ServerError: they do not.
        """
        if self.per_model and self.common is None:
            raise ServerError(
                "--enable_per_model_batching_parameters only counts with batching; add "
                "--enable_batching or leave it out"
            )

    @classmethod
    def from_flags(cls, enabled: bool, file: str, per_model: bool) -> BatchingOptions:
        """Returns what the three flags say; an empty `file` stands for the defaults.

        Raises:
            ServerError: the file cannot be used, or flags contradict each other.
        """
        if file and not enabled:
            raise ServerError(
                f"--batching_parameters_file {file} only counts with batching; add "
                "--enable_batching or leave it out"
            )
        if not enabled:
            return cls(None, per_model)
        common = read_batching_parameters(Path(file)) if file else BatchingParameters()
        return cls(common, per_model)

    def of_version(self, folder: Path) -> BatchingParameters | None:
        """Returns the parameters of the version in a folder; None: no batching.

        The number of threads is always the common one, as in TF Serving.

        Raises:
            ServerError: the version's own file cannot be used.
        """
        if self.common is None or not self.per_model:
            return self.common
        path = folder / PER_MODEL_FILE
        if not path.is_file():
            return None
        threads = self.common.num_batch_threads
        return replace(read_batching_parameters(path), num_batch_threads=threads)


NO_BATCHING = BatchingOptions()
