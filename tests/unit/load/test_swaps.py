"""Versions come and go by renames, and nothing stays behind."""

import asyncio

import pytest

from serving.client.errors import Unavailable
from serving.client.spec import VersionStatus
from serving.load.swaps import Copies, swap_every
from tfrs_app.contract.errors import ArtifactError


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "0007" / "variables"
    folder.mkdir(parents=True)
    (folder / "data").write_text("weights")
    (tmp_path / "3").mkdir()
    (tmp_path / "notes").mkdir()
    return tmp_path


def names(folder):
    return sorted(child.name for child in folder.iterdir())


def test_copies_hold_the_newest_version_and_are_taken_away(base):
    copies = Copies(base)
    assert [copies.publish() for _ in range(4)] == [8, 9, 10, 11]
    assert names(base) == ["0007", "10", "11", "3", "notes"]
    assert (base / "11" / "variables" / "data").read_text() == "weights"
    copies.remove()
    assert names(base) == ["0007", "3", "notes"]
    assert (base / "0007" / "variables" / "data").read_text() == "weights"


def test_without_a_version_there_is_nothing_to_copy(tmp_path):
    with pytest.raises(ArtifactError, match="no version to copy"):
        Copies(tmp_path)


def test_a_swap_ends_when_the_server_says_so():
    told = [[VersionStatus(8, "LOADING", "")], Unavailable("busy")]
    told += [[VersionStatus(8, "AVAILABLE", ""), VersionStatus(7, "END", "")]]
    published, swaps = iter([8]), []

    async def versions(_timeout_s):
        answer = told.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main():
        job = asyncio.create_task(
            swap_every(60, lambda: next(published), versions, swaps)
        )
        while not swaps:
            await asyncio.sleep(0.01)
        job.cancel()

    asyncio.run(asyncio.wait_for(main(), 30))
    (swap,) = swaps
    assert swap.version == 8
    assert swap.available_after_s is not None
    assert told == []


def test_a_version_that_is_never_served_is_told():
    swaps = []

    async def versions(_timeout_s):
        return [VersionStatus(8, "END", "broken")]

    async def main():
        job = asyncio.create_task(swap_every(0.05, lambda: 8, versions, swaps))
        while not swaps:
            await asyncio.sleep(0.01)
        job.cancel()

    asyncio.run(asyncio.wait_for(main(), 30))
    assert swaps[0].available_after_s is None
