"""Which engine runs a job: Beam's options, checked, and pipelines that use them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
)

from beam.notebooks import plain_labels
from beam.shapes import check_linear
from tfrs_app.contract.errors import ConfigError

_LOCAL = "FnApiRunner"
_DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"
_CLASSES = {
    _LOCAL: "apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "DaskRunner": _DASK,
    "PortableRunner": "apache_beam.runners.portability.portable_runner.PortableRunner",
    "FlinkRunner": "apache_beam.runners.portability.flink_runner.FlinkRunner",
    "SparkRunner": "apache_beam.runners.portability.spark_runner.SparkRunner",
    "DataflowRunner": "apache_beam.runners.dataflow.dataflow_runner.DataflowRunner",
    "PySparkRunner": "beam_pyspark_runner.pyspark_runner.PySparkRunner",
}
# The last runner pins Beam 2.48, so no extra of ours could be resolved with it.
_REMEDIES = {
    "DaskRunner": "pip install 'tfrs-app[dask]'",
    "DataflowRunner": "pip install 'apache-beam[gcp]'",
    "PySparkRunner": "pip install pyspark==3.5.1, then "
    "pip install --no-deps beam-pyspark-runner==0.0.3",
}
_PARTITIONS = "--dask_npartitions=64"
"""More than the cores of a small cluster; a shuffle has about 16 tasks a partition."""


def pipeline_options(flags: Sequence[str]) -> PipelineOptions:
    """Returns Beam's options; without `--runner` the job runs in this process.

    `--runner` is one of the names above or the path of a class.

    Raises:
        ConfigError: the runner is unknown or not installed, or an option chooses a
            mode that is known to lose data.
    """
    options = PipelineOptions([f"--runner={_LOCAL}", *flags])
    runner = _runner_class(options.view_as(StandardOptions).runner)
    if runner == _DASK and not _names(flags, "--dask_npartitions"):
        flags = [_PARTITIONS, *flags]
    options = PipelineOptions([*flags, f"--runner={runner}"])
    _check_modes(options)
    return options


@contextmanager
def linear_pipeline(options: PipelineOptions) -> Iterator[beam.Pipeline]:
    """Yields an empty pipeline, then checks its shape, runs it and waits for its end.

    Raises:
        RuntimeError: an engine would compute a graph of this shape wrongly.
        ServerError: the cluster can't be reached or broke down.
    """
    with plain_labels():
        pipeline = beam.Pipeline(options=options)
        yield pipeline
    check_linear(pipeline)
    if options.view_as(StandardOptions).runner == _DASK:
        from beam.dask_cluster import run_on_dask

        run_on_dask(pipeline, options)
    else:
        pipeline.run().wait_until_finish()


def _runner_class(name: str) -> str:
    path = _CLASSES.get(name, name)
    module, _, attribute = path.rpartition(".")
    if not module:
        known = ", ".join(_CLASSES)
        raise ConfigError(
            f"--runner: {name!r} is not supported; name one of {known}, or the path of "
            "a runner's class, or leave the option out to run in this process"
        )
    try:
        getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        remedy = _REMEDIES.get(attribute, "install its package")
        raise ConfigError(
            f"--runner: {name} is not available ({error}); {remedy}"
        ) from error
    return path


def _check_modes(options: PipelineOptions) -> None:
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode == "multi_threading":
        raise ConfigError(
            "--direct_running_mode multi_threading loses rows in silence (Beam 2.77); "
            "use multi_processing or leave it out"
        )
    if options.view_as(StandardOptions).no_wait_until_finish:
        raise ConfigError(
            "--no_wait_until_finish would start a stage before the one it reads from "
            "ends; leave it out"
        )


def _names(flags: Sequence[str], name: str) -> bool:
    return any(flag.split("=", 1)[0] == name for flag in flags)
