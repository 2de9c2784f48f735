"""Checks a machine and a config before anything long is started."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.leaks import show_leaks
from tfrs_app.cli.program import program
from tfrs_app.cli.validation import show
from tfrs_app.contract.artifacts import MANIFEST, Layout, Manifest, verify
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, DataError, UserError
from tfrs_app.data.gates import Verdict, check_gates
from tfrs_app.data.previous import Made
from tfrs_app.data.quality_page import DATA_PAGE, write_page
from tfrs_app.data.validation import validate

TESTED = {
    "apache-beam": "2.77",
    "scann": "1.4",
    "tensorflow": "2.20",
    "tensorflow-recommenders": "0.7",
    "tensorflow-serving-api": "2.20",
    "tf-keras": "2.20",
}
"""Package -> the series that the tests run with."""
SCANN_INSTRUCTIONS = ("avx2", "fma")
ENOUGH_DISK_GB = 2.0


@dataclass(frozen=True)
class Finding:
    """Tells what was checked, what was found, and the remedy if it is wrong."""

    subject: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class _Dataset:
    folder: Path
    finding: Finding
    manifest: Manifest | None = None
    """Only of a dataset that is there and whole."""


@dataclass(frozen=True)
class Checked:
    """Holds all that was found.

    Attributes:
        findings: of the machine, the packages and the tables.
        dataset: id of the dataset that was judged; None without one.
        report: page of how sound that is.
        verdicts: of its gates.
    """

    findings: Sequence[Finding]
    dataset: str | None = None
    report: Path | None = None
    verdicts: Sequence[Verdict] = ()

    @property
    def wrong(self) -> list[str]:
        """Returns what needs a remedy."""
        return [finding.subject for finding in self.findings if finding.remedy]

    def as_json(self) -> dict[str, Any]:
        """Returns what `--json` prints."""
        sound = not self.wrong and all(verdict.kept for verdict in self.verdicts)
        return {
            "sound": sound,
            "findings": self.findings,
            "dataset": self.dataset,
            "report": self.report,
            "gates": self.verdicts,
        }


def check(config: ShopConfig, console: Console, against: str | None = None) -> Checked:
    """Prints every finding as a table, then how sound the dataset is.

    Args:
        config: the shop.
        console: takes what is found.
        against: id of the dataset with which the shop's is compared; None: the one
            before.

    Returns:
        What was found, to be judged by `judge`.

    Raises:
        DataError: a history holds what it must not know.
        ArtifactError: there is no dataset `against`.
    """
    findings = [*_machine(), *_packages(), _keras(), *_tables(config)]
    dataset = _dataset(config)
    findings += [dataset.finding] if dataset else []
    table = Table("checked", "found", "", title="doctor")
    for finding in findings:
        remedy = escape(finding.remedy)
        verdict = f"[red]{remedy}[/]" if remedy else "[green]ok[/]"
        table.add_row(finding.subject, escape(finding.found), verdict)
    console.print(table)
    checked = Checked(findings)
    if checked.wrong:
        return checked
    if dataset and dataset.manifest:
        return _with_dataset(checked, config, dataset, console, against)
    if against:
        raise ArtifactError(
            f"--against {against}: there is no dataset to compare with it; make one "
            "with `prepare`"
        )
    return checked


def judge(checked: Checked) -> None:
    """Refuses what is not sound.

    Raises:
        DataError: at least one finding needs a remedy, or a gate is not kept.
    """
    if checked.wrong:
        raise DataError(
            f"doctor: needs care: {', '.join(checked.wrong)}; see the table above"
        )
    check_gates(checked.verdicts)


def _machine() -> Iterator[Finding]:
    python = platform.python_version_tuple()
    fits = ("3", "11") <= python[:2] <= ("3", "12")
    yield Finding(
        "Python", platform.python_version(), "" if fits else "use Python 3.11 or 3.12"
    )
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    missing = [name for name in SCANN_INSTRUCTIONS if f" {name} " not in flags]
    yield Finding(
        "CPU instructions",
        f"{os.cpu_count()} cores, without {missing}" if missing else "AVX2 and FMA",
        "ScaNN needs them: set export.index to exact" if missing else "",
    )
    free_gb = shutil.disk_usage(".").free / 1e9
    enough = free_gb >= ENOUGH_DISK_GB
    yield Finding("free disk", f"{free_gb:.0f} GB", "" if enough else "free some space")


def _packages() -> Iterator[Finding]:
    for name, series in TESTED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding(name, "absent", "pip install 'tfrs-app[beam,train,serving]'")
            continue
        fits = found.startswith(f"{series}.") or found == series
        yield Finding(name, found, "" if fits else f"tested with {series}; install it")


def _keras() -> Finding:
    import tensorflow as tf

    generation = tf.keras.Model.__module__.split(".")[0]
    fits = generation == "tf_keras"
    return Finding(
        "Keras", generation, "" if fits else "set TF_USE_LEGACY_KERAS=1 and start again"
    )


def _tables(config: ShopConfig) -> Iterator[Finding]:
    from beam.inputs import inputs_of
    from beam.schema import schema

    try:
        inputs = inputs_of(config)
    except UserError as error:
        yield Finding(f"tables of {config.shop}", "faulty", str(error))
        return
    for name, table in inputs.items():
        files = sum(map(len, table.files))
        columns = ", ".join(schema(table))
        yield Finding(f"table {name}", f"{files} file(s), all columns: {columns}")


def _dataset(config: ShopConfig) -> _Dataset | None:
    """Returns the dataset of the present inputs; None if those are faulty."""
    from beam.prepare import dataset_identity

    try:
        folder = Layout(root=config.root).dataset(dataset_identity(config))
    except UserError:
        return None  # told with the tables
    if not (folder / MANIFEST).is_file():
        made_by = f"none yet: `{program()} prepare` makes it"
        return _Dataset(folder, Finding("dataset", made_by))
    try:
        manifest = verify(folder)
    except ArtifactError as error:
        return _Dataset(folder, Finding("dataset", "damaged", str(error)))
    return _Dataset(folder, Finding("dataset", folder.name), manifest)


def _with_dataset(
    checked: Checked,
    config: ShopConfig,
    dataset: _Dataset,
    console: Console,
    against: str | None,
) -> Checked:
    """Prints how sound a dataset is, and adds it to what was found."""
    assert dataset.manifest is not None
    folder, manifest = dataset.folder, dataset.manifest
    found = validate(config, folder, Made.of(manifest), against)
    show(found, console)
    report = Layout(root=config.root).reports / DATA_PAGE
    write_page(report, found)
    console.print(f"report  {report}")
    show_leaks(config, folder, console)
    return replace(checked, dataset=manifest.id, report=report, verdicts=found.verdicts)
