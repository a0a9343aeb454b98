"""The closed language of `when`: comparisons of facts with literals, and, or, not.

`facts.<stage>.<step>.<fact> > 0 and run.tier == 1`. Nothing can be called, computed or changed.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipelines.operations.contract import Json

Facts = Mapping[str, Mapping[str, Json]]
Answer = bool | None  # None: a fact is missing, so the condition cannot be known

MAX_LENGTH: Final = 400
ROOTS: Final = {"facts": 4, "item": 4, "run": 2}  # root -> words of a reference
WORDS: Final[Mapping[str, Json]] = {"true": True, "false": False}


class ConditionError(Exception):
    """The condition is outside the closed language; the message says what is."""


@dataclass(frozen=True)
class Condition:
    """A condition that was read. `refs` are the dotted names it looks at."""

    text: str
    refs: tuple[str, ...]
    test: Callable[[Facts], Answer]


@lru_cache(maxsize=512)
def read(text: str) -> Condition:
    """The condition of a text. Raises ConditionError."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"is longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ConditionError("is not an expression") from None
    refs: list[str] = []
    test = _test(tree.body, refs)
    return Condition(text, tuple(dict.fromkeys(refs)), test)


def evaluate(text: str, facts: Facts) -> Answer:
    """What the condition says; None where a fact is missing. Raises ConditionError."""
    return read(text).test(facts)


def holds(text: str, facts: Facts) -> bool:
    """Whether to go on: no condition holds, and one that cannot be known holds too.

    A missing fact must never skip a review or a stage.
    """
    return not text or evaluate(text, facts) is not False


def _test(node: ast.expr, refs: list[str]) -> Callable[[Facts], Answer]:
    if isinstance(node, ast.BoolOp):
        tests = [_test(value, refs) for value in node.values]
        return _all(tests) if isinstance(node.op, ast.And) else _any(tests)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _test(node.operand, refs)
        return lambda facts: _negate(inner(facts))
    if isinstance(node, ast.Compare):
        return _comparison(node, refs)
    value = _value(node, refs)
    return lambda facts: _truth(value(facts))


def _all(tests: list[Callable[[Facts], Answer]]) -> Callable[[Facts], Answer]:
    def test(facts: Facts) -> Answer:
        answers = [each(facts) for each in tests]
        return False if False in answers else None if None in answers else True

    return test


def _any(tests: list[Callable[[Facts], Answer]]) -> Callable[[Facts], Answer]:
    def test(facts: Facts) -> Answer:
        answers = [each(facts) for each in tests]
        return True if True in answers else None if None in answers else False

    return test


def _negate(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _truth(value: Json) -> Answer:
    return value if isinstance(value, bool) else None


def _comparison(node: ast.Compare, refs: list[str]) -> Callable[[Facts], Answer]:
    if len(node.ops) != 1:
        raise ConditionError("compares more than two values; join comparisons with `and`")
    compare = _COMPARE.get(type(node.ops[0]))
    if compare is None:
        raise ConditionError("may compare only with < <= > >= == !=")
    left, right = _value(node.left, refs), _value(node.comparators[0], refs)
    return lambda facts: compare(left(facts), right(facts))


def _value(node: ast.expr, refs: list[str]) -> Callable[[Facts], Json]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        literal: Json = node.value
        return lambda facts: literal
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _negative(node.operand)
    if isinstance(node, ast.Name) and node.id in WORDS:
        word = WORDS[node.id]
        return lambda facts: word
    if isinstance(node, ast.Attribute):
        return _lookup(_dotted(node), refs)
    raise ConditionError(f"may not hold {_said(node)}; only facts., run., item. and literals")


def _negative(node: ast.expr) -> Callable[[Facts], Json]:
    number = node.value if isinstance(node, ast.Constant) else None
    if isinstance(number, int | float) and not isinstance(number, bool):
        negative: Json = -number
        return lambda facts: negative
    raise ConditionError("may negate only a number")


def _lookup(parts: list[str], refs: list[str]) -> Callable[[Facts], Json]:
    root, words = parts[0], ROOTS.get(parts[0])
    if words is None or len(parts) != words:
        shapes = "facts.<stage>.<step>.<fact>, item.<stage>.<item>.<field> or run.<parameter>"
        raise ConditionError(f"refers to {'.'.join(parts)}, which is not {shapes}")
    refs.append(".".join(parts))
    if root == "run":
        return lambda facts: _of_run(facts, parts[1])
    source = ".".join(parts[1:3]) if root == "facts" else ".".join(parts[:3])
    return lambda facts: facts.get(source, {}).get(parts[3])


def _of_run(facts: Facts, name: str) -> Json:
    run = facts.get("run", {})
    parameters = run.get("parameters")
    if isinstance(parameters, Mapping) and name in parameters:
        return parameters[name]
    return run.get(name)


def _dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    raise ConditionError(f"may not hold {_said(node)}")


def _said(node: ast.expr) -> str:
    return f"`{ast.unparse(node)[:60]}`"


def _number_or_none(value: Json) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and isinstance(value, int | float) else None


def _ordered(test: Callable[[float, float], bool]) -> Callable[[Json, Json], Answer]:
    def compare(left: Json, right: Json) -> Answer:
        one, other = _number_or_none(left), _number_or_none(right)
        return None if one is None or other is None else test(one, other)

    return compare


def _equal(left: Json, right: Json) -> Answer:
    return None if left is None or right is None else left == right


_COMPARE: Mapping[type[ast.cmpop], Callable[[Json, Json], Answer]] = {
    ast.Lt: _ordered(lambda one, other: one < other),
    ast.LtE: _ordered(lambda one, other: one <= other),
    ast.Gt: _ordered(lambda one, other: one > other),
    ast.GtE: _ordered(lambda one, other: one >= other),
    ast.Eq: _equal,
    ast.NotEq: lambda left, right: _negate(_equal(left, right)),
}
