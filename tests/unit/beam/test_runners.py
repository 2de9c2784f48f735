import sys

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import StandardOptions
from apache_beam.runners.dask.dask_runner import DaskOptions

from beam.runners import linear_pipeline, pipeline_options
from tfrs_app.contract.errors import ConfigError, ServerError

DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"


@pytest.mark.parametrize(
    ("flags", "path"),
    [
        ([], "apache_beam.runners.portability.fn_api_runner.FnApiRunner"),
        (["--runner=DaskRunner"], DASK),
        (["--runner", DASK], DASK),
        (
            ["--runner=PortableRunner", "--job_endpoint=localhost:8099"],
            "apache_beam.runners.portability.portable_runner.PortableRunner",
        ),
    ],
)
def test_a_short_name_stands_for_a_class(flags, path):
    assert pipeline_options(flags).view_as(StandardOptions).runner == path


@pytest.mark.parametrize(
    ("flags", "partitions"),
    [([], 64), (["--dask_npartitions=3"], 3), (["--dask_npartitions", "3"], 3)],
)
def test_dask_gets_partitions_unless_they_are_given(flags, partitions):
    options = pipeline_options(["--runner=DaskRunner", *flags])
    assert options.view_as(DaskOptions).npartitions == partitions


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--runner=DirectRunner"], "'DirectRunner' is not supported; name one of"),
        (["--runner=Dask"], "'Dask' is not supported"),
        (["--runner=beam.runners.Nobody"], r"is not available .*install its package"),
        (["--runner=no.such.Module"], "no.such.Module is not available"),
        (["--direct_running_mode=multi_threading"], "loses rows in silence"),
        (["--direct_running_mode", "multi_threading"], "loses rows in silence"),
        (["--no_wait_until_finish"], "would start a stage before"),
    ],
)
def test_what_cannot_run_well_is_refused(flags, message):
    with pytest.raises(ConfigError, match=message):
        pipeline_options(flags)


def test_a_missing_dask_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, DASK.rpartition(".")[0], raising=False)
    monkeypatch.setitem(sys.modules, "dask.bag", None)
    for name in [name for name in sys.modules if name.startswith(DASK[:24])]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match=r"pip install 'tfrs-app\[dask\]'"):
        pipeline_options(["--runner=DaskRunner"])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:port"])
def test_an_unreachable_scheduler_is_one_sentence(address):
    flags = ["--runner=DaskRunner", f"--dask_client_address={address}"]
    options = pipeline_options([*flags, "--dask_connection_timeout=1"])
    with (
        pytest.raises(ServerError, match=f"scheduler at {address} can't be reached"),
        linear_pipeline(options) as pipeline,
    ):
        pipeline | beam.Create([1])


def test_a_missing_scheduler_file_is_named(tmp_path):
    file = tmp_path / "scheduler.json"
    options = pipeline_options(["--runner=DaskRunner", f"--dask_scheduler_file={file}"])
    with (
        pytest.raises(ConfigError, match=f"{file} does not exist"),
        linear_pipeline(options) as pipeline,
    ):
        pipeline | beam.Create([1])


def test_a_wrong_graph_does_not_run():
    ran = []
    with (
        pytest.raises(RuntimeError, match="is a Reshuffle"),
        linear_pipeline(pipeline_options([])) as pipeline,
    ):
        pipeline | beam.Create([1]) | beam.Reshuffle() | beam.Map(ran.append)
    assert not ran
