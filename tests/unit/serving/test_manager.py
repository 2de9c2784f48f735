"""How versions come and go, with a loader that only takes notes."""

import threading
import time

import grpc
import pytest

from serving.server.errors import ServingError
from serving.server.models.lifecycle import Lifecycle
from serving.server.models.manager import ModelManager
from serving.server.models.model_config import Every, ModelConfig, Specific
from serving.server.models.registry import ModelRegistry, State
from tfrs_app.contract.errors import ServerError

QUICK = Lifecycle(poll_s=0.01, retry_s=3600, grace_s=1)


class Version:
    """A servable that can tell whether it was closed."""

    def __init__(self, model, version):
        self.model, self.version, self.closed = model, version, False

    def close(self):
        self.closed = True


class Loads:
    """A loader that fails for folders holding a file `broken`."""

    def __init__(self):
        self.made = []

    def __call__(self, model, version, folder):
        made = Version(model, version)
        self.made.append(made)
        if (folder / "broken").exists():
            raise RuntimeError("no good\nsecond line")
        return made


@pytest.fixture
def serve(tmp_path):
    """Starts a manager over folders of tmp_path; closes it at the end."""
    managers = []

    def start(lifecycle=QUICK, **models):
        registry, loads = ModelRegistry(), Loads()
        manager = ModelManager(models, registry, lifecycle, loads)
        managers.append(manager)
        manager.start()
        return manager, registry, loads

    yield start
    for manager in managers:
        manager.close()


def add(base, *versions, broken=False):
    for version in versions:
        folder = base / str(version)
        folder.mkdir(parents=True)
        (folder / "broken" if broken else folder / "saved_model.pb").touch()


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.005)


def state(registry, version):
    known = {status.version: status.state for status in registry.status("m")}
    return known.get(version)


def test_a_new_version_replaces_the_old_one(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, loads = serve(m=ModelConfig(tmp_path))
    assert registry.ready("m") == [1]
    add(tmp_path, 2)
    until(lambda: registry.ready("m") == [2])
    until(lambda: state(registry, 1) is State.END)
    assert [made.closed for made in loads.made] == [True, False]


def test_a_version_in_use_is_closed_after_its_last_user(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    with registry.lease("m") as first, registry.lease("m", 1) as again:
        assert first is again
        add(tmp_path, 2)
        until(lambda: registry.ready("m") == [2])
        assert state(registry, 1) is State.UNLOADING
        assert not first.closed
    until(lambda: first.closed)


def test_a_broken_version_replaces_nothing_and_says_why(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, loads = serve(m=ModelConfig(tmp_path))
    add(tmp_path, 2, broken=True)
    until(lambda: len(loads.made) == 2)
    until(lambda: state(registry, 2) is State.END)
    (status,) = registry.status("m", 2)
    assert status.code is grpc.StatusCode.FAILED_PRECONDITION
    assert status.message == "no good"
    assert registry.ready("m") == [1]
    time.sleep(0.1)
    assert len(loads.made) == 2, "the same files were tried again at once"


@pytest.mark.parametrize("keep", [True, False])
def test_the_only_version_asked_for_is_broken(serve, tmp_path, keep):
    add(tmp_path, 1)
    add(tmp_path, 2, broken=True)
    lifecycle = Lifecycle(poll_s=0.01, retry_s=3600, keep_last=keep)
    manager, registry, _ = serve(
        lifecycle, m=ModelConfig(tmp_path, Specific(frozenset({1})))
    )
    manager.reload({"m": ModelConfig(tmp_path, Specific(frozenset({2})))})
    until(lambda: state(registry, 2) is State.END)
    time.sleep(0.1)
    assert registry.ready("m") == [1]


def test_the_old_version_stays_where_its_folder_went_and_the_new_one_is_broken(
    serve, tmp_path
):
    add(tmp_path, 1)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    add(tmp_path, 2, broken=True)
    (tmp_path / "1").rename(tmp_path / "1.away")
    until(lambda: state(registry, 2) is State.END)
    time.sleep(0.1)
    assert registry.ready("m") == [1]


def test_a_broken_version_is_tried_again_when_its_files_change(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    add(tmp_path, 2, broken=True)
    until(lambda: state(registry, 2) is State.END)
    (tmp_path / "2" / "broken").rename(tmp_path / "2" / "saved_model.pb")
    until(lambda: registry.ready("m") == [2])


def test_the_same_files_are_tried_a_few_times(serve, tmp_path):
    add(tmp_path, 1)
    _, _, loads = serve(
        Lifecycle(poll_s=0.005, retry_s=0.01, max_retries=2), m=ModelConfig(tmp_path)
    )
    add(tmp_path, 2, broken=True)
    until(lambda: len(loads.made) == 4)
    time.sleep(0.1)
    assert len(loads.made) == 4


def test_a_broken_newest_version_leaves_the_start_to_the_next(serve, tmp_path):
    add(tmp_path, 1)
    add(tmp_path, 2, broken=True)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    assert registry.ready("m") == [1]


def test_nothing_but_broken_versions_ends_the_start(serve, tmp_path):
    add(tmp_path, 4, broken=True)
    with pytest.raises(
        ServerError, match="model 'm' version 4 cannot be loaded: no good"
    ):
        serve(m=ModelConfig(tmp_path))


def test_one_broken_model_leaves_the_others(serve, tmp_path):
    add(tmp_path / "a", 1)
    add(tmp_path / "b", 1, broken=True)
    _, registry, _ = serve(a=ModelConfig(tmp_path / "a"), b=ModelConfig(tmp_path / "b"))
    assert registry.ready("a") == [1]
    assert registry.ready("b") == []


def test_an_empty_base_path_is_waited_for(serve, tmp_path):
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    assert registry.ready("m") == []
    add(tmp_path, 1)
    until(lambda: registry.ready("m") == [1])


@pytest.mark.parametrize("keep", [True, False])
def test_an_emptied_base_path(serve, tmp_path, keep):
    add(tmp_path, 1)
    lifecycle = Lifecycle(poll_s=0.01, keep_last=keep)
    _, registry, _ = serve(lifecycle, m=ModelConfig(tmp_path))
    (tmp_path / "1" / "saved_model.pb").unlink()
    (tmp_path / "1").rmdir()
    if keep:
        time.sleep(0.1)
        assert registry.ready("m") == [1]
    else:
        until(lambda: registry.ready("m") == [])


def test_a_base_path_that_vanishes_takes_nothing_and_stops_no_other(
    serve, tmp_path, caplog
):
    add(tmp_path / "a", 1)
    add(tmp_path / "b", 1)
    _, registry, _ = serve(a=ModelConfig(tmp_path / "a"), b=ModelConfig(tmp_path / "b"))
    (tmp_path / "a").rename(tmp_path / "away")
    add(tmp_path / "b", 2)
    until(lambda: registry.ready("b") == [2])
    assert registry.ready("a") == [1]
    assert caplog.text.count("cannot be read") == 1


def test_removing_the_newest_version_goes_back(serve, tmp_path):
    add(tmp_path, 1, 2)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    (tmp_path / "2").rename(tmp_path / "2.away")
    until(lambda: registry.ready("m") == [1])


def test_policies_choose(serve, tmp_path):
    add(tmp_path, 1, 2, 3)
    _, registry, _ = serve(
        m=ModelConfig(tmp_path, Every()),
        n=ModelConfig(tmp_path, Specific(frozenset({2, 9}))),
    )
    assert registry.ready("m") == [1, 2, 3]
    assert registry.ready("n") == [2]


def test_no_poll_looks_once(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, _ = serve(Lifecycle(poll_s=0), m=ModelConfig(tmp_path))
    add(tmp_path, 2)
    time.sleep(0.1)
    assert registry.ready("m") == [1]


def test_a_reload_replaces_the_models(serve, tmp_path):
    add(tmp_path / "a", 1)
    add(tmp_path / "b", 7)
    manager, registry, _ = serve(a=ModelConfig(tmp_path / "a"))
    manager.reload({"b": ModelConfig(tmp_path / "b")})
    assert registry.ready("b") == [7]
    until(lambda: registry.status("a", 1)[0].state is State.END)
    with pytest.raises(ServingError, match=r"Latest\(a\)"), registry.lease("a"):
        pass


def test_a_reload_tells_why_a_new_model_cannot_be_loaded(serve, tmp_path):
    add(tmp_path / "a", 1)
    add(tmp_path / "b", 7, broken=True)
    models = {"a": ModelConfig(tmp_path / "a")}
    manager, registry, _ = serve(**models)
    with pytest.raises(ServingError, match="'b' version 7 cannot be loaded: no good"):
        manager.reload({**models, "b": ModelConfig(tmp_path / "b")})
    with pytest.raises(ServingError, match="c has no version under its base path"):
        manager.reload({**models, "c": ModelConfig(tmp_path / "c")})
    assert registry.ready("a") == [1]


def test_labels_lead_to_versions_and_move_only_to_available_ones(serve, tmp_path):
    add(tmp_path, 1, 2)
    model = ModelConfig(tmp_path, Every(), {"stable": 1})
    manager, registry, _ = serve(m=model)
    with registry.lease("m", label="stable") as servable:
        assert servable.version == 1
    with pytest.raises(ServingError, match="not currently available") as error:
        manager.reload({"m": ModelConfig(tmp_path, Every(), {"stable": 3, "x": 1})})
    assert error.value.code is grpc.StatusCode.FAILED_PRECONDITION
    with registry.lease("m", label="stable") as servable:
        assert servable.version == 1
    manager.reload({"m": ModelConfig(tmp_path, Every(), {"stable": 2})})
    with registry.lease("m", label="stable") as servable:
        assert servable.version == 2
    with pytest.raises(ServingError, match="Unrecognized servable version label: x"):
        registry.lease("m", label="x").__enter__()


def test_new_labels_may_wait_where_that_is_allowed(serve, tmp_path):
    add(tmp_path, 1)
    lifecycle = Lifecycle(poll_s=0.01, labels_may_wait=True)
    manager, registry, _ = serve(lifecycle, m=ModelConfig(tmp_path, Every()))
    manager.reload({"m": ModelConfig(tmp_path, Every(), {"next": 2})})
    with pytest.raises(ServingError, match=r"Specific\(m, 2\)"):
        registry.lease("m", label="next").__enter__()
    with pytest.raises(ServingError, match="not currently available"):
        manager.reload({"m": ModelConfig(tmp_path, Every(), {"next": 3})})
    add(tmp_path, 2)
    until(lambda: registry.ready("m") == [1, 2])
    with registry.lease("m", label="next") as servable:
        assert servable.version == 2


def test_a_start_with_a_label_to_nowhere_is_refused(serve, tmp_path):
    add(tmp_path, 1)
    with pytest.raises(ServerError, match="label 'stable' names version 2"):
        serve(m=ModelConfig(tmp_path, labels={"stable": 2}))


def test_a_platform_never_changes(serve, tmp_path):
    add(tmp_path, 1)
    manager, _, _ = serve(m=ModelConfig(tmp_path))
    with pytest.raises(ServingError, match="Illegal to change a model's platform"):
        manager.reload({"m": ModelConfig(tmp_path, platform="other")})
    with pytest.raises(ServingError, match="model_platform 'other' is not known"):
        manager.reload({"n": ModelConfig(tmp_path, platform="other")})
    with pytest.raises(ServingError, match="'a:b' must be non-empty"):
        manager.reload({"a:b": ModelConfig(tmp_path)})


def test_the_end_waits_for_calls_in_progress(serve, tmp_path):
    add(tmp_path, 1)
    manager, registry, loads = serve(m=ModelConfig(tmp_path))
    entered, seen = threading.Event(), []

    def call():
        with registry.lease("m") as servable:
            entered.set()
            time.sleep(0.2)
            seen.append(servable.closed)

    thread = threading.Thread(target=call)
    thread.start()
    entered.wait()
    manager.close()
    thread.join()
    assert seen == [False]
    assert loads.made[0].closed


def test_only_the_last_ended_versions_are_listed(serve, tmp_path):
    add(tmp_path, 1)
    _, registry, _ = serve(m=ModelConfig(tmp_path))
    for version in range(2, 26):
        add(tmp_path, version)
        until(lambda: registry.ready("m") == [version])  # noqa: B023 - waited for here
    until(lambda: state(registry, 24) is State.END)
    listed = [status.version for status in registry.status("m")]
    assert listed == list(range(25, 4, -1))
