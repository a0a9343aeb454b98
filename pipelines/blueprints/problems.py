"""What is wrong with a blueprint: where, which rule, which value. All of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One broken rule, at a path such as `stages[3].gate.rules[0].persona`.

    `severity` is "error" or "warning"; a warning does not refuse.
    """

    path: str
    rule: str
    message: str
    value: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        got = f" (got {self.value})" if self.value else ""
        return f"{self.path or 'blueprint'}: {self.message}{got} [{self.rule}]"


class BlueprintErrors(Exception):
    """The blueprint breaks rules; `problems` names every one of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shown(value: object) -> str:
    """A value as a message may show it: short, and quoted when it is text."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def errors_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems that refuse a blueprint; warnings do not."""
    return tuple(problem for problem in problems if problem.severity == "error")
