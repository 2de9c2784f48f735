"""docs/troubleshooting.md knows every message that a user can be told."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.client.errors import ClientError
from tfrs_app.contract.errors import UserError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PACKAGES = ("tfrs_app", "beam", "serving")
TABLES = PAGE[PAGE.index("## The command line") : PAGE.index("## Messages that others")]
LINES = [
    (rule.strip("` "), remedy)
    for rule, remedy in re.findall(r"^\| (`.*?`+) \| (.*) \|$", TABLES, re.MULTILINE)
]
"""Of the page's tables: each message's rule, and what to do."""
A_WORD = re.compile(r"[A-Za-z]{3}")


def family(error: type) -> Iterator[type]:
    yield error
    for child in error.__subclasses__():
        yield from family(child)


USER_ERRORS = {error.__name__ for error in family(UserError)}


def test_no_user_error_is_defined_elsewhere():
    """Else it would have to be imported here to be found."""
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            if USER_ERRORS & {ast.unparse(base) for base in bases}:
                found.add(path.relative_to(ROOT).as_posix())
    assert found == {"tfrs_app/contract/errors.py"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def words(node: ast.expr) -> str:
    """A message as the page has it: what is filled in at run time is an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return words(node.left) + words(node.right)
    return "…"


def rules() -> Iterator[tuple[str, str]]:
    """Where each message is made, and what it says before its remedy."""
    for path in sources():
        where = path.relative_to(ROOT).as_posix()
        # The config's validators raise what pydantic wants; users see their words.
        names = USER_ERRORS | {"ValueError"} if "contract/" in where else USER_ERRORS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            if ast.unparse(node.func).rpartition(".")[2] in names:
                rule = words(node.args[0]).partition("; ")[0]
                yield where, re.sub(r"^(…(/…)?: )+", "", " ".join(rule.split()))


MESSAGES = sorted({message for message in rules() if A_WORD.search(message[1])})


def test_the_messages_are_found():
    assert len(MESSAGES) > 200
    assert ("tfrs_app/cli/shop.py", "--user …: no such user in the dataset") in (
        MESSAGES
    )


@pytest.mark.parametrize(("where", "rule"), MESSAGES)
def test_a_message_has_its_line(where, rule):
    remedies = [remedy for listed, remedy in LINES if listed == rule.strip("`")]
    assert remedies, f"{where} says {rule!r}: add it to docs/troubleshooting.md"
    assert all(A_WORD.search(remedy) for remedy in remedies)


def test_no_line_is_of_a_message_that_is_gone():
    told = {rule.strip("`") for _, rule in MESSAGES}
    assert [rule for rule, _ in LINES if rule not in told] == []


@pytest.mark.parametrize("error", sorted({e.__name__ for e in family(ClientError)}))
def test_a_clients_error_has_its_line(error):
    assert f"`{error}`" in PAGE
