"""Runs a pipeline on a Dask cluster and notices when the cluster breaks down."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.dask.dask_runner import DaskOptions
from distributed import Client, KilledWorker

from tfrs_app.contract.errors import ConfigError, ServerError

_CLIENT_LOG = logging.getLogger("distributed.client")


def run_on_dask(pipeline: beam.Pipeline, options: PipelineOptions) -> None:
    """Runs a pipeline to its end on the cluster that the options name.

    Without an address Dask starts a cluster of this machine for each pipeline.

    Raises:
        ConfigError: the scheduler's file does not exist.
        ServerError: the cluster can't be reached, has no worker or broke down.
    """
    _check_cluster(options.view_as(DaskOptions))
    result = pipeline.run()
    try:
        result.wait_until_finish()
        lost = {future.status for future in result.futures} - {"finished"}
    except KilledWorker as error:
        raise ServerError(
            f"Dask gave up: {error}; look into the workers' logs, most often they "
            "lack memory: give them more, or lower --dask_npartitions"
        ) from error
    else:
        # Beam's result says DONE even when a lost scheduler cancelled all work.
        if lost:
            _CLIENT_LOG.setLevel(logging.CRITICAL)  # tells tracebacks as it closes
            raise ServerError(
                f"the Dask scheduler at {_place(options.view_as(DaskOptions))} went "
                f"away before the work was done ({', '.join(sorted(lost))}); start it "
                "and its workers, then run the command again"
            )
    finally:
        result.client.close()


def _check_cluster(options: DaskOptions) -> None:
    chosen: dict[str, Any] = options.get_all_options(
        drop_default=True, current_only=True
    )
    file = chosen.get("scheduler_file")
    if file and not Path(file).is_file():  # Dask would wait for it for ever
        raise ConfigError(
            f"--dask_scheduler_file: {file} does not exist; name the file that "
            "`dask scheduler --scheduler-file` wrote"
        )
    if not file and "address" not in chosen:
        return
    connection = {
        name: chosen[name]
        for name in ("address", "scheduler_file", "timeout")
        if name in chosen
    }
    try:
        with Client(**connection) as client:
            workers = client.scheduler_info()["workers"]
    except (OSError, ValueError) as error:
        raise ServerError(
            f"the Dask scheduler at {_place(options)} can't be reached ({error}); "
            "start it with `dask scheduler` or mend --dask_client_address"
        ) from error
    if not workers:  # Dask would wait for one for ever
        raise ServerError(
            f"the Dask scheduler at {_place(options)} has no worker; start some with "
            "`dask worker ADDRESS`"
        )


def _place(options: DaskOptions) -> str:
    return options.address or options.scheduler_file or "this machine"
