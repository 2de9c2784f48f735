from pathlib import Path

import pytest

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.configs.model_server import read_model_configs
from serving.server.models.model_config import Every, Latest, ModelConfig, Specific
from tfrs_app.contract.errors import ServerError


def read(folder: Path, text: str):
    path = folder / "models.config"
    path.write_text(text)
    return read_model_configs(path)


def test_reads_every_kind_of_policy_and_labels(tmp_path):
    models = read(
        tmp_path,
        """
        model_config_list {
          config { name: "a" base_path: "/m/a" model_platform: "tensorflow" }
          config {
            name: "b" base_path: "/m/b" model_platform: "tensorflow"
            model_version_policy { specific { versions: 3 versions: 5 } }
            version_labels { key: "stable" value: 3 }
            version_labels { key: "canary" value: 5 }
          }
          config { name: "c" base_path: "/m/c" model_version_policy { all {} } }
          config {
            name: "d" base_path: "/m/d" model_type: TENSORFLOW
            model_version_policy { latest { num_versions: 2 } }
          }
        }
        """,
    )
    assert models == {
        "a": ModelConfig(Path("/m/a"), Latest(1)),
        "b": ModelConfig(
            Path("/m/b"), Specific(frozenset({3, 5})), {"stable": 3, "canary": 5}
        ),
        "c": ModelConfig(Path("/m/c"), Every()),
        "d": ModelConfig(Path("/m/d"), Latest(2)),
    }


def test_keeps_the_logging_config_for_who_logs(tmp_path):
    models = read(
        tmp_path,
        'model_config_list { config { name: "a" base_path: "/a" '
        "logging_config { sampling_config { sampling_rate: 0.5 } "
        'log_collector_config { type: "jsonl" filename_prefix: "/log/a" } } } }',
    )
    assert models["a"].logging == LoggingPolicy(LogType.JSONL, Path("/log/a"), 0.5)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("model_config_list {", "no ModelServerConfig in text form: .*"),
        ("nonsense: 3", 'no field named "nonsense"'),
        ("", "only model_config_list is supported"),
        ("custom_model_config {}", "only model_config_list is supported"),
        (
            'model_config_list { config { name: "a" base_path: "rel" } }',
            r"Expected model a to have an absolute path or URI; got base_path\(\)=rel",
        ),
        (
            'model_config_list { config { name: "a" base_path: "/a" } '
            'config { name: "a" base_path: "/b" } }',
            "Illegal to list model a multiple times",
        ),
        (
            'model_config_list { config { name: "a" base_path: "/a" '
            "model_version_policy { specific {} } } }",
            "specific names no version",
        ),
    ],
)
def test_refuses_and_names_the_file(tmp_path, text, match):
    with pytest.raises(ServerError, match=match) as error:
        read(tmp_path, text)
    assert str(tmp_path / "models.config") in str(error.value)


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(ServerError, match="No such file"):
        read_model_configs(tmp_path / "absent")
