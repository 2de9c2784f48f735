"""Row filters of the config (`where: quantity > 0`), parsed to a closed little tree.

The grammar is the subset of Python expressions that compares columns with constants:
`and`, `or`, `not`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`, `not in [...]`,
`is None`, `is not None`. Nothing is ever evaluated as code.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeAlias

from tfrs_app.contract.errors import ConfigError

Constant: TypeAlias = str | int | float | bool


@dataclass(frozen=True)
class Comparison:
    """Compares one column: `operator` is `==`, `<`, `in`, `is null`, ... ."""

    column: str
    operator: str
    values: tuple[Constant, ...]


@dataclass(frozen=True)
class Combination:
    """Joins conditions: `operator` is `and`, `or` or `not` (one operand)."""

    operator: str
    operands: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Combination

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is null",
    ast.IsNot: "is not null",
}


def parse_where(text: str) -> Condition:
    """Parses a row filter.

    Raises:
        ConfigError: the text is not an expression of the grammar above.
    """
    try:
        return _condition(ast.parse(text.strip(), mode="eval").body, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(
            f"where: {text!r} is not a condition; write for example "
            f"\"quantity > 0 and department != 'FUEL'\""
        ) from error


def columns_of(condition: Condition) -> frozenset[str]:
    """Returns the columns that a condition reads."""
    if isinstance(condition, Comparison):
        return frozenset({condition.column})
    return frozenset().union(*(columns_of(operand) for operand in condition.operands))


def _condition(node: ast.expr, text: str) -> Condition:
    if isinstance(node, ast.BoolOp):
        operator = "and" if isinstance(node.op, ast.And) else "or"
        return Combination(operator, tuple(_condition(v, text) for v in node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Combination("not", (_condition(node.operand, text),))
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        pairs = zip(operands, node.ops, operands[1:], strict=False)
        parts = tuple(_comparison(left, op, right, text) for left, op, right in pairs)
        return parts[0] if len(parts) == 1 else Combination("and", parts)
    raise _not_allowed(node, text)


def _comparison(
    left: ast.expr, op: ast.cmpop, right: ast.expr, text: str
) -> Comparison:
    operator = _OPERATORS[type(op)]
    if not isinstance(left, ast.Name):
        raise _not_allowed(left, text, "a column name on the left of the comparison")
    if operator.startswith("is "):
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise _not_allowed(right, text, "None after `is`")
        return Comparison(left.id, operator, ())
    if operator in ("in", "not in"):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise _not_allowed(right, text, f"a list after `{operator}`")
        values = tuple(_constant(element, text) for element in right.elts)
        return Comparison(left.id, operator, values)
    return Comparison(left.id, operator, (_constant(right, text),))


def _constant(node: ast.expr, text: str) -> Constant:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(node.operand, text)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return node.value
    raise _not_allowed(node, text, "a number or a quoted text")


def _not_allowed(
    node: ast.expr, text: str, expected: str = "a comparison of a column"
) -> ConfigError:
    return ConfigError(
        f"where: {ast.unparse(node)!r} in {text!r} is not allowed; expected {expected}"
    )
