"""Checks a machine and a config before anything long is started."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import DataError, UserError

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


def check(config: ShopConfig, console: Console) -> None:
    """Prints every finding as a table.

    Raises:
        DataError: at least one finding needs a remedy.
    """
    findings = [*_machine(), *_packages(), _keras(), *_tables(config)]
    table = Table("checked", "found", "", title="doctor")
    for finding in findings:
        remedy = escape(finding.remedy)
        verdict = f"[red]{remedy}[/]" if remedy else "[green]ok[/]"
        table.add_row(finding.subject, finding.found, verdict)
    console.print(table)
    wrong = [finding.subject for finding in findings if finding.remedy]
    if wrong:
        raise DataError(f"doctor: needs care: {', '.join(wrong)}; see the table above")


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

    try:
        inputs = inputs_of(config)
    except UserError as error:
        yield Finding(f"tables of {config.shop}", "faulty", str(error))
        return
    for name, table in inputs.items():
        yield Finding(f"table {name}", f"{len(table.files)} file(s), all columns")
