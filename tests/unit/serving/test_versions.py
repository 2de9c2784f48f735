from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.models.model_config import Every, Latest, Specific
from serving.server.models.policy import Load, Unload, next_action
from serving.server.models.versions import fingerprint, versions_in

VERSIONS = st.frozensets(st.integers(0, 5), max_size=4)


def test_only_folders_named_by_a_whole_number_are_versions(tmp_path):
    for name in ("1", "00000123", "9223372036854775807", "9223372036854775808"):
        (tmp_path / name).mkdir()
    for name in ("x", "-1", "1.5", "7.partial", ".8", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "9").touch()
    assert versions_in(tmp_path) == {
        1: tmp_path / "1",
        123: tmp_path / "00000123",
        2**63 - 1: tmp_path / "9223372036854775807",
    }


def test_a_base_path_that_cannot_be_listed_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        versions_in(tmp_path / "absent")


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Latest(), {9}),
        (Latest(2), {9, 4}),
        (Latest(7), {1, 4, 9}),
        (Every(), {1, 4, 9}),
        (Specific(frozenset({4, 1, 77})), {1, 4}),
    ],
)
def test_policies(policy, chosen):
    assert policy.choose([4, 9, 1]) == chosen
    assert policy.choose([]) == set()


@given(VERSIONS, VERSIONS)
def test_steps_end_with_the_aspired_versions_and_never_take_the_last_one_away(
    aspired, ready
):
    served = set(ready)
    for _ in range(20):
        action = next_action(aspired, served)
        if action is None:
            break
        if isinstance(action, Load):
            assert action.version in aspired - served
            served.add(action.version)
        else:
            assert isinstance(action, Unload)
            assert action.version in served - aspired
            served.remove(action.version)
            assert served or not aspired
    assert served == aspired


def test_the_highest_new_version_comes_first():
    assert next_action({1, 2, 3}, [1]) == Load(3)


def test_the_only_one_that_serves_stays_until_its_successor_is_ready():
    assert next_action({2}, [1]) == Load(2)
    assert next_action({2}, [1, 2]) == Unload(1)
    assert next_action({3}, [1, 2]) == Unload(1)
    assert next_action(frozenset(), [1]) == Unload(1)


def test_a_fingerprint_changes_with_content_and_names(tmp_path: Path):
    seen = [fingerprint(tmp_path)]
    file = tmp_path / "variables" / "index"
    file.parent.mkdir()
    for change in (lambda: file.write_text("a"), lambda: file.write_text("ab")):
        change()
        seen.append(fingerprint(tmp_path))
    file.rename(tmp_path / "variables" / "data")
    seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == 4
