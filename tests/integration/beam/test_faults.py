"""What goes wrong outside of the tables' meaning; docs/faults.md tells the outcomes."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.prepare import main, prepare
from beam.reading import columns_of_file, read
from beam.sources import input_files, splits_of
from tests.integration.beam import shop
from tests.integration.beam.test_incremental import content_of
from tests.integration.beam.test_prepare import records_of
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.data_config import TableConfig
from tfrs_app.contract.errors import DataError

DAY = 86400
FIRST = 1577836800  # 2020-01-01T00:00:00Z


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_is_given_back(full_disk, tmp_path, capfd):
    path = shop.write_shop(tmp_path, items=big_items(), events=shop.made_events())
    assert main(["-c", str(path), "--set", f"artifacts={full_disk}"]) == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "the disk is full; free some space" in last
    left = [p for p in full_disk.rglob("*") if p.is_file() and p.stat().st_size]
    assert left == []


def test_a_failure_with_no_space_left_is_told_without_root_too(tmp_path, monkeypatch):
    def fails(self):
        raise OSError(28, "No space left on device")

    path = shop.write_shop(tmp_path)
    monkeypatch.setattr("beam.prepare.Job.run", fails)
    with pytest.raises(OSError, match="No space left"):  # of some other disk
        prepare(shop.loaded(path))
    monkeypatch.setattr("beam.prepare._LEAST_FREE_BYTES", 1 << 62)  # so ours is full
    with pytest.raises(DataError, match="the disk is full; free some space"):
        prepare(shop.loaded(path))
    assert not list(tmp_path.glob("artifacts/tiny/datasets/.*.partial"))


def big_items():
    """Items whose texts are too many for the small disk."""
    random = np.random.default_rng(5)
    return [{**item, "name": random.bytes(40_000).hex()} for item in shop.made_items()]


def test_a_file_that_nobody_may_read(tmp_path):
    path = shop.write_shop(tmp_path)
    file = tmp_path / "items.parquet"
    file.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        (source,) = input_files(TableConfig(source=str(file)), "data.items")
        with pytest.raises(
            DataError, match=r"items.parquet: cannot be read .*ermission"
        ):
            columns_of_file(source)
    finally:
        os.seteuid(user)
    assert path.exists()


def test_a_file_that_goes_away_while_the_job_runs(tmp_path):
    shop.write_shop(tmp_path)
    files = input_files(TableConfig(source=f"{tmp_path}/users.parquet"), "data.users")
    splits = splits_of([files])
    (tmp_path / "users.parquet").unlink()
    with pytest.raises(DataError, match=r"users.parquet: cannot be read as parquet"):
        list(read(splits[0], ["customer"]))


def test_a_corrupt_page_leaves_no_dataset(tmp_path, capfd):
    path = shop.write_shop(tmp_path)
    content = bytearray((tmp_path / "events.parquet").read_bytes())
    content[4:400] = bytes(396)
    (tmp_path / "events.parquet").write_bytes(content)
    assert main(["-c", str(path)]) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert "events.parquet: cannot be read as parquet" in error
    datasets = tmp_path / "artifacts" / "tiny" / "datasets"
    assert not [p for p in datasets.rglob("*") if p.is_file() and p.stat().st_size]


@pytest.mark.parametrize("ending", shop.ENDINGS)
def test_a_text_of_ten_megabytes(tmp_path, ending):
    items = shop.made_items()
    text = "ü" * (5 << 20)
    items[3] = {**items[3], "name": text, "color": "red"}
    folder = prepare(shop.loaded(shop.write_shop(tmp_path, ending, items=items)))
    expected = f"{text} red".encode()
    titles = [record["title"][0] for _, record in records_of(folder / "items")]
    assert titles.count(expected) == 1


def test_a_clock_that_goes_backwards(tmp_path):
    there = shop.write_shop(tmp_path)
    straight = prepare(shop.loaded(there))
    (tmp_path / "back").mkdir()
    back = shop.write_shop(tmp_path / "back", events=shop.made_events()[::-1])
    found, expected = content_of(prepare(shop.loaded(back))), content_of(straight)
    for name, content in expected.items():
        if not name.startswith("rejects"):
            assert found[name] == content, name


@pytest.mark.parametrize("moment", ["0000-01-01", "99999-01-01", "1e30", "-1e30"])
def test_a_clock_that_is_broken(tmp_path, moment):
    events = shop.made_events()
    for event in events:
        event["moment"] = event["moment"] and event["moment"].isoformat()
    events[5] |= {"moment": moment, "quantity": 1, "customer": 3, "kind": "view"}
    folder = prepare(shop.loaded(shop.write_shop(tmp_path, events=events)))
    lines = (folder / "rejects" / "events.jsonl").read_text().splitlines()
    reasons = {json.loads(line)["row"]: json.loads(line)["reason"] for line in lines}
    assert reasons[5] == "unparsable timestamp"


@pytest.mark.slow
def test_a_user_with_a_million_events(tmp_path):
    rows = 1_000_000
    random = np.random.default_rng(7)
    sold = [int(item) for item in shop.expected_items()]
    events = {
        "customer": np.full(rows, 5),
        "product": random.choice(sold, rows),
        "moment": (FIRST + np.arange(rows) * 30 * DAY // rows).astype("datetime64[s]"),
        "kind": np.full(rows, "purchase"),
        "quantity": np.ones(rows, np.int64),
        "paid": random.random(rows),
        "receipt": np.arange(rows) // 5,
        "store": np.full(rows, "north"),
        "wait": np.full(rows, 0.5),
    }
    path = shop.write_shop(tmp_path)
    pq.write_table(pa.table(events), tmp_path / "events.parquet")
    folder = prepare(shop.loaded(path))
    counts = verify(folder).counts["events"]
    assert counts["rows_in"] == rows == counts["rows_out"] + counts["duplicates"]
    records = [record for _, record in records_of(folder / "sequences")]
    targets = [len(r["timestamp"]) - r["target_start"][0] for r in records]
    assert sum(targets) == counts["rows_out"]
    assert max(targets) <= 16_384
    assert [r["target_start"][0] for r in records[:2]] == [0, 512]
    own = records[1]["timestamp"][:512]
    assert own == records[0]["timestamp"][-512:]


def test_every_fault_is_documented():
    page = Path("docs/faults.md").read_text(encoding="utf-8")
    for words in ("kill -9", "disk", "corrupt", "10 MB", "million", "clock", "type"):
        assert words in page
