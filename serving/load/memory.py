"""How much memory a server takes, with the processes that it started."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tfrs_app.contract.errors import ConfigError

_PROC = Path("/proc")


def resident_mib(pid: int) -> float:
    """Returns the resident memory of a process and its descendants, in MiB.

    Raises:
        ConfigError: there is no such process, or the system has no /proc.
    """
    sizes, parents = {}, {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:
            continue  # it has ended meanwhile
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        number = int(folder.name)
        parents[number] = int(told["PPid"])
        sizes[number] = int(told.get("VmRSS", "0 kB").split()[0]) / 1024
    if pid not in sizes:
        raise ConfigError(f"--server-pid {pid}: no such process on this machine")
    family, grown = {pid}, True
    while grown:
        children = {n for n, parent in parents.items() if parent in family}
        grown = not children <= family
        family |= children
    return sum(sizes[number] for number in family)


async def watch(pid: int, every_s: float, seen: list[tuple[float, float]]) -> None:
    """Notes (seconds from the start, MiB) until it is cancelled."""
    start = time.perf_counter()
    while True:
        size = await asyncio.to_thread(resident_mib, pid)
        seen.append((time.perf_counter() - start, size))
        await asyncio.sleep(every_s)
