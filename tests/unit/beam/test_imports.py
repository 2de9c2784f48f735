import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_nobody_writes_a_plain_import_of_this_package():
    """`import beam.x` would rebind the name that Apache Beam goes by."""
    offenders = []
    for folder in ("beam", "tfrs_app", "serving", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = (
                    [n.name for n in node.names] if isinstance(node, ast.Import) else []
                )
                if any(name.split(".")[0] == "beam" for name in names):
                    offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not offenders
