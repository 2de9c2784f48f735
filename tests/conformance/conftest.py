import contextlib
import functools
from pathlib import Path

import pytest

from tests.conformance.models import save_all
from tests.conformance.server import server

CONFIG = """
model_config_list {{
  config {{ name: "hp2" base_path: "{root}/hp2" model_platform: "tensorflow" }}
  config {{ name: "echo" base_path: "{root}/echo" model_platform: "tensorflow" }}
  config {{
    name: "plus" base_path: "{root}/plus" model_platform: "tensorflow"
    model_version_policy {{ all {{}} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "a/b c" value: 2 }}
  }}
}}
"""


@pytest.fixture(scope="session")
def saved(tmp_path_factory) -> Path:
    """Folder of the models and of two configs: with labels and `plain`."""
    root = tmp_path_factory.mktemp("conformance")
    save_all(root)
    text = CONFIG.format(root=root)
    (root / "models.config").write_text(text, encoding="utf-8")
    plain = [line for line in text.splitlines() if "version_labels" not in line]
    (root / "plain.config").write_text("\n".join(plain), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def addresses(saved):
    """Starts a server of an engine when the first case asks for it."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def address(engine):
            flags = [
                f"--model_config_file={saved}/models.config",
                "--allow_version_labels_for_unavailable_models=true",
            ]
            return stack.enter_context(server(engine, flags, saved / f"{engine}.log"))

        yield address


@pytest.fixture(scope="session")
def reloadable(saved):
    """Starts servers that take reload requests, with a config without labels."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def address(engine):
            flags = [f"--model_config_file={saved}/plain.config"]
            log = saved / f"{engine}_reload.log"
            return stack.enter_context(server(engine, flags, log))

        yield address
