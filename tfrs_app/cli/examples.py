"""Examples of every command, shown at the end of its help; a test parses them all."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from tfrs_app.cli.program import NAME

_SHOP = "-c configs/my_shop.yaml"
EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": (
        "--events data/orders.csv --items data/items.csv",
        "--events 'logs/*.parquet' --items items.jsonl --shop my_shop --yes",
    ),
    "prepare": (_SHOP, f"{_SHOP} --since 2024-12-01"),
    "embed-texts": (_SHOP,),
    "train retrieval": (_SHOP, f"{_SHOP} --set retrieval.epochs=2"),
    "train ranking": (_SHOP,),
    "tune": (_SHOP, f"{_SHOP} --set tune.trials=10"),
    "evaluate": (_SHOP, f"{_SHOP} --json"),
    "export": (_SHOP, f"{_SHOP} --set export.index=exact"),
    "run": (_SHOP, f"{_SHOP} --set retrieval.epochs=2 --json"),
    "catalog push": (f"changes.csv {_SHOP}",),
    "serve": (_SHOP, f"{_SHOP} --port 9000 --workers 2 -- --enable_batching"),
    "storefront": (_SHOP, f"{_SHOP} --server http://127.0.0.1:8501"),
    "recommend": (
        f"{_SHOP} --history SKU1,SKU2 -k 10",
        f"{_SHOP} --user U1 --filter max_price=50 --json",
    ),
    "search": (f"'red lamp' {_SHOP}", f"'red lamp' {_SHOP} --user U1 --personal 0.5"),
    "explain": (f"SKU9 {_SHOP} --user U1",),
    "load-test": (f"{_SHOP} --rate 100 --seconds 60",),
    "simulate": ("--users 500 --items 300 --days 90", "--output shop --seed 7"),
    "doctor": (_SHOP, f"{_SHOP} --json"),
    "forget": (f"CUSTOMER {_SHOP}",),
    "impressions": ("'logs/requests-*' --output artifacts/impressions",),
    "demo": ("-c configs/complete_journey.yaml",),
    "text-encoder build": ("--precision int8",),
}
"""Command -> what may follow it."""


def give_examples(app: typer.Typer) -> None:
    """Ends the help of every command of an app with its examples."""
    for name, command in _commands(app):
        lines = [f"{NAME} {name} {line}" for line in EXAMPLES.get(name, ())]
        if lines:
            command.epilog = "\n\n".join(["Examples:", *lines])


def _commands(
    app: typer.Typer, before: str = ""
) -> Iterator[tuple[str, typer.models.CommandInfo]]:
    """Yields every command below an app by its full name."""
    for command in app.registered_commands:
        called = getattr(command.callback, "__name__", "")
        yield before + (command.name or called.replace("_", "-")), command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance, f"{before}{group.name} ")
