"""Arithmetic that a config may write: names, numbers, `+ - * / **` and parentheses."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class Formula:
    """Evaluates an expression over named values: numbers, arrays or tensors.

    Args:
        text: such as `purchase * price ** 0.2`.

    Raises:
        ValueError: it is no such expression.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"{text!r} is no expression: {error}") from error
        self.names = frozenset(self._names(self._tree))

    def _names(self, node: ast.expr) -> list[str]:
        """Returns the names below a node; checks it on the way."""
        match node:
            case ast.Name():
                return [node.id]
            case ast.Constant(value=int() | float() as value) if not isinstance(
                value, bool
            ):
                return []
            case ast.UnaryOp(op=ast.USub()):
                return self._names(node.operand)
            case ast.BinOp() if type(node.op) in _BINARY:
                return [*self._names(node.left), *self._names(node.right)]
        raise ValueError(
            f"{self.text!r} holds {ast.unparse(node)!r}, but only names, numbers, "
            "+ - * / ** and parentheses are allowed"
        )

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Returns the value of the expression.

        Args:
            values: of each of `names`.
        """
        return self._value(self._tree, values)

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        match node:
            case ast.Name():
                return values[node.id]
            case ast.UnaryOp():
                return -self._value(node.operand, values)
            case ast.BinOp():
                left = self._value(node.left, values)
                return _BINARY[type(node.op)](left, self._value(node.right, values))
            case ast.Constant():
                return float(node.value)  # type: ignore[arg-type]
        raise AssertionError(node)
