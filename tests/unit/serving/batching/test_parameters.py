"""Batching parameters: TF Serving's defaults, its files, and what is refused."""

import os
from pathlib import Path

import pytest

from serving.server.batching.options import BatchingOptions
from serving.server.batching.parameters import BatchingParameters
from serving.server.configs.batching import read_batching_parameters
from tfrs_app.contract.errors import ServerError

SHIPPED = Path(__file__).parents[4] / "serving/deploy/config/batching.config"

FULL = """
# a comment
max_batch_size { value: 128 }
batch_timeout_micros { value: 5000 }
max_enqueued_batches { value: 7 }
num_batch_threads { value: 3 }
thread_pool_name { value: "shared" }
allowed_batch_sizes: 16
allowed_batch_sizes: 64
pad_variable_length_inputs: true
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 64 }
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "batching.config"
        path.write_text(text)
        return path

    return write


def test_defaults_are_those_of_tensorflow_serving(written):
    defaults = BatchingParameters(
        max_batch_size=1000,
        batch_timeout_micros=0,
        max_enqueued_batches=10,
        num_batch_threads=None,
    )
    assert read_batching_parameters(written("")) == defaults == BatchingParameters()
    assert (defaults.rows_a_batch, defaults.rows_enqueued) == (1000, 10_000)
    assert defaults.threads == len(os.sched_getaffinity(0))


def test_reads_every_field(written):
    assert read_batching_parameters(written(FULL)) == BatchingParameters(
        max_batch_size=128,
        batch_timeout_micros=5000,
        max_enqueued_batches=7,
        num_batch_threads=3,
        allowed_batch_sizes=(16, 64),
        pad_variable_length_inputs=True,
        enable_large_batch_splitting=True,
        max_execution_batch_size=64,
    )


def test_the_shipped_file_is_read():
    parameters = read_batching_parameters(SHIPPED)
    assert parameters.pad_variable_length_inputs
    assert (parameters.max_batch_size, parameters.rows_enqueued) == (64, 1024)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("max_batch_size { value: 0 }", "max_batch_size must be at least 1, got 0"),
        ("max_enqueued_batches { value: -1 }", "max_enqueued_batches must be at least"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be at least 1"),
        ("batch_timeout_micros { value: -5 }", "batch_timeout_micros must be at least"),
        ("allowed_batch_sizes: 8", "greatest size of a batch, 1000, got 8"),
        (
            "max_batch_size { value: 8 } allowed_batch_sizes: 8 allowed_batch_sizes: 8",
            "increasing numbers",
        ),
        (
            "max_batch_size { value: 8 } allowed_batch_sizes: 0 allowed_batch_sizes: 8",
            "increasing numbers from 1 on",
        ),
        ("max_execution_batch_size { value: 8 }", "set enable_large_batch_splitting"),
        (
            "enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 1001 }",
            "between 1 and max_batch_size 1000, got 1001",
        ),
        ("max_batch_size: 32", "max_batch_size { value: 32 }"),
        ("batch_size { value: 32 }", "no field named"),
        ("max_batch_size { value: x }", "text format"),
    ],
)
def test_refuses_what_cannot_be(written, text, rule):
    with pytest.raises(ServerError, match=r"batching\.config: .*") as caught:
        read_batching_parameters(written(text))
    assert rule in str(caught.value)


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ServerError, match="No such file"):
        read_batching_parameters(tmp_path / "none")


def test_flags_that_only_count_with_batching_are_refused_without_it():
    assert BatchingOptions.from_flags(False, "", False) == BatchingOptions()
    with pytest.raises(ServerError, match="add --enable_batching"):
        BatchingOptions.from_flags(False, "some.config", False)
    with pytest.raises(ServerError, match="add --enable_batching"):
        BatchingOptions.from_flags(False, "", True)


def test_a_versions_own_file_counts_if_it_may(tmp_path):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    own = "max_batch_size { value: 5 } num_batch_threads { value: 9 }"
    (tmp_path / "with/batching_params.pbtxt").write_text(own)
    common = BatchingParameters(max_batch_size=3, num_batch_threads=2)
    assert BatchingOptions(common).of_version(tmp_path / "with") == common
    per_model = BatchingOptions(common, per_model=True)
    assert per_model.of_version(tmp_path / "with") == BatchingParameters(
        max_batch_size=5, num_batch_threads=2
    )
    assert per_model.of_version(tmp_path / "without") is None
    assert BatchingOptions().of_version(tmp_path / "with") is None
