"""Libraries come from the wheels that were pinned, once."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.runtime import libraries
from tests.runtime.libraries import Wheel, fetch


def wheel_of(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name in members:
            archive.writestr(name, name)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def pip(monkeypatch, tmp_path):
    """Puts a made wheel where pip would put the wanted one; returns the calls."""
    source = tmp_path / "made.whl"
    sha256 = wheel_of(source, ["lib/b.so", "lib/a.so.2", "lib/a.py", "other/c.so"])
    wheel = Wheel("made==1", sha256, ("lib/b", "lib/a"))
    monkeypatch.setattr(libraries, "WHEELS", {"made": wheel})
    calls = []

    def run(command, check):
        assert check
        folder = Path(command[command.index("--dest") + 1])
        (folder / "made-1.whl").write_bytes(source.read_bytes())
        calls.append(command[-1])

    monkeypatch.setattr(libraries.subprocess, "run", run)
    return calls


def test_shared_libraries_are_unpacked_and_listed_in_the_order_of_loading(
    pip, tmp_path
):
    folder = tmp_path / "runtime"
    fetch(folder)
    fetch(folder)
    assert pip == ["made==1"]
    found = [path.relative_to(folder) for path in libraries.libraries(folder, "made")]
    assert found == [Path("lib/b.so"), Path("lib/a.so.2")]
    assert not (folder / "other").exists()


def test_another_pin_is_fetched_again(pip, tmp_path):
    folder = tmp_path / "runtime"
    fetch(folder)
    (folder / libraries.COMPLETE).write_text("older pins")
    fetch(folder)
    assert len(pip) == 2


def test_a_wheel_that_was_not_pinned_is_refused(pip, tmp_path, monkeypatch):
    wheel = Wheel("made==1", "0" * 64, ("lib/",))
    monkeypatch.setattr(libraries, "WHEELS", {"made": wheel})
    with pytest.raises(SystemExit, match="has sha256"):
        fetch(tmp_path / "runtime")
    assert not (tmp_path / "runtime" / libraries.COMPLETE).exists()
