"""TensorFlow Serving's messages and the embedded server read the same files."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.server.configs.batching import read_batching_parameters
from serving.server.configs.model_server import read_model_configs
from serving.server.configs.monitoring import metrics_path
from serving.server.flags import options_of, parser
from tests.unit.deploy.files import DEPLOY, WAYS, container, documents

CONFIG = DEPLOY / "config"
MODEL = "complete_journey"


def test_models():
    text = (CONFIG / "models.config").read_text(encoding="utf-8")
    upstream = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(text, upstream)
    (entry,) = upstream.model_config_list.config
    ours = read_model_configs(CONFIG / "models.config")
    assert list(ours) == [entry.name] == [MODEL]
    assert str(ours[MODEL].base_path) == entry.base_path == f"/models/{MODEL}"
    assert entry.model_version_policy.latest.num_versions == 1


def test_monitoring():
    path = metrics_path(CONFIG / "monitoring.config")
    assert path == "/monitoring/prometheus/metrics"
    (prometheus,) = documents(DEPLOY / "prometheus" / "prometheus.yaml")
    assert prometheus["scrape_configs"][0]["metrics_path"] == path


def test_batching_of_each_server():
    """Upstream pads with a tensor's first value: no history may be padded so."""
    ours = read_batching_parameters(CONFIG / "batching.config")
    upstream = read_batching_parameters(CONFIG / "batching_upstream.config")
    assert ours.pad_variable_length_inputs
    assert not upstream.pad_variable_length_inputs
    assert ours.max_batch_size == upstream.max_batch_size


@pytest.mark.parametrize("way", WAYS)
def test_only_the_embedded_server_gets_the_padding_file(way):
    flags = " ".join(container(way)["args"])
    assert ("config/batching.config" in flags) is (way == "embedded")


@pytest.mark.parametrize("way", WAYS)
def test_files_in_flags_exist(way):
    for flag in container(way)["args"]:
        name, _, value = flag.partition("=")
        if name.endswith("_file"):
            assert (CONFIG / value.removeprefix("/config/")).is_file(), flag


def test_the_embedded_server_takes_its_command_line():
    flags = [
        flag.replace("/config/", f"{CONFIG}/") for flag in container("embedded")["args"]
    ]
    options = options_of(parser().parse_args(flags))
    assert list(options.models) == [MODEL]
    assert (options.grpc_port, options.rest_port) == (8500, 8501)
    assert options.reload_rpc is False
