"""The real command tree: what commands there are, and whether a line is one of them."""

import shlex
from collections.abc import Iterator

import typer

from tfrs_app.cli import app

ROOT = typer.main.get_command(app)


def commands(group=ROOT, before=()) -> Iterator[tuple[str, object]]:
    """Every command by its full name, groups left out."""
    for name, command in group.commands.items():
        path = (*before, name)
        if hasattr(command, "commands"):
            yield from commands(command, path)
        else:
            yield " ".join(path), command


def parsed(line: str) -> tuple[str, dict]:
    """The command of a line and its options; refuses what the command would refuse."""
    program, *words = shlex.split(line, comments=True)
    assert program == "tfrs-app", line
    command, path = ROOT, []
    while hasattr(command, "commands"):
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    context = command.make_context(path[-1], words)
    return " ".join(path), context.params
