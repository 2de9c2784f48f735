"""What importing a client costs: ours by REST and gRPC, and the stock stubs.

python benchmarks/client_import.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

TURNS = 7
MODULES = {
    "numpy alone": "numpy",
    "our client, REST": "serving.client.rest",
    "our client, gRPC": "serving.client.rpc",
    "stock stubs": "tensorflow_serving.apis.prediction_service_pb2_grpc",
}
PROBE = """
import resource, time
wall, cpu = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - wall, time.process_time() - cpu,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measured(module: str) -> list[float]:
    """Returns seconds, CPU seconds and MiB of one import in a new process."""
    command = [sys.executable, "-c", PROBE.format(module=module)]
    # As an installed package is imported: compiled once.
    env = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    return [float(part) for part in done.stdout.split()]


def main() -> None:
    """Prints the least, which other load disturbs least, medians, and ratios."""
    seen: dict[str, list[list[float]]] = {name: [] for name in MODULES}
    for turn in range(TURNS):
        for name, module in MODULES.items():
            sample = measured(module)  # the first turn fills the file cache
            if turn:
                seen[name].append(sample)
    print(
        "| import | s, least | s, median | CPU s, least | MiB |\n|---|---|---|---|---|"
    )
    for name, samples in seen.items():
        walls, cpus, sizes = zip(*samples, strict=True)
        print(
            f"| {name} | {min(walls):.2f} | {statistics.median(walls):.2f} | "
            f"{min(cpus):.2f} | {statistics.median(sizes):.0f} |"
        )
    stock = min(sample[0] for sample in seen["stock stubs"])
    ratios = {
        f"{short}_import_vs_stock": stock / min(s[0] for s in seen[name])
        for short, name in (("rest", "our client, REST"), ("grpc", "our client, gRPC"))
    }
    print(json.dumps({"benchmark": "client_import", "ratios": ratios}))


if __name__ == "__main__":
    main()
