"""How a command ends: where the result is, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from tfrs_app.cli.program import program

if TYPE_CHECKING:
    from rich.console import Console


def command_line(
    command: str, config: Path | str, overrides: Sequence[str] = ()
) -> str:
    """Returns what is typed to run a command on a shop."""
    options = shlex.join(part for text in overrides for part in ("--set", text))
    return f"{program()} {command} -c {shlex.quote(str(config))} {options}".rstrip()


def tell_next(
    console: Console, command: str, config: Path | str, overrides: Sequence[str] = ()
) -> None:
    """Prints the command that comes next, ready to be copied."""
    line = command_line(command, config, overrides)
    console.print(f"next: [bold]{escape(line)}[/]")
