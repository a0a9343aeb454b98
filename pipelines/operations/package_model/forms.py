"""What a package says of its answers: threshold and classes, or a number and its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.class_costs import equal_costs
from pipelines.operations.learning.class_decisions import stated_costs
from pipelines.operations.learning.class_names import probability_columns, texts_of
from pipelines.operations.packages.signature import Output, Type
from pipelines.operations.tables import read_document


class Form(Protocol):
    """How the answers of a task are served."""

    def outputs(self, target: str, classes: tuple[Json, ...]) -> tuple[Output, ...]:
        """The signature's outputs."""
        ...

    def manifest(self, context: Context, classes: tuple[Json, ...]) -> dict[str, Json]:
        """What makes an answer of a score; raises OperationError where that is not known."""
        ...


class ClassForm:
    """A probability, and the class that a threshold makes of it."""

    def outputs(self, target: str, classes: tuple[Json, ...]) -> tuple[Output, ...]:
        """Score and label."""
        positive = classes[1]
        return (
            Output("score", "number", f"probability that {target} is {positive}"),
            Output("label", _label_type(positive), "the class that the threshold gives"),
        )

    def manifest(self, context: Context, classes: tuple[Json, ...]) -> dict[str, Json]:
        """The threshold param, else the evaluation's. Raises OperationError without one."""
        found = context.params.get("threshold")
        if found is None:
            found = _evaluated(context).get("threshold")
        if isinstance(found, bool) or not isinstance(found, int | float) or found < 0:
            raise OperationError(
                "no_threshold",
                "neither the threshold parameter nor the evaluation gives a threshold",
                field="threshold", value=None, rule="a number from 0 to 1",
            )  # fmt: skip
        return {"threshold": min(float(found), 1.0)}


class ValueForm:
    """A number, with the interval that the evaluation has checked."""

    def outputs(self, target: str, classes: tuple[Json, ...]) -> tuple[Output, ...]:
        """The number and both ends of its interval."""
        return (
            Output("prediction", "number", f"{target}, as predicted"),
            Output("low", "number", "lower end of the interval, null where none is promised"),
            Output("high", "number", "upper end of the interval, null where none is promised"),
        )

    def manifest(self, context: Context, classes: tuple[Json, ...]) -> dict[str, Json]:
        """The margin of the evaluation; none where it could not be set."""
        found = _evaluated(context).get("prediction_interval")
        if not isinstance(found, dict):
            return {"interval": None}
        if found.get("by"):
            return {"interval": {name: found[name] for name in ("level", "by")} | _steps(found)}
        return {"interval": {name: found[name] for name in ("low", "high", "level")}}


class SeveralForm:
    """The cheapest of several classes, with the probability of each."""

    def outputs(self, target: str, classes: tuple[Json, ...]) -> tuple[Output, ...]:
        """Score and label of the answer, and one probability for each class."""
        return (
            Output("score", "number", f"probability that {target} is the answer"),
            Output("label", _label_type(classes[0]), "the class of least expected cost"),
            *(
                Output(column, "number", f"probability that {target} is {name}")
                for column, name in zip(
                    probability_columns(classes), texts_of(classes), strict=True
                )
            ),
        )

    def manifest(self, context: Context, classes: tuple[Json, ...]) -> dict[str, Json]:
        """What each error costs, as the evaluation decided; 1 where there is none."""
        costs = stated_costs(context, len(classes)) or equal_costs(len(classes))
        return {"costs": list[Json](costs.as_json()), "currency": costs.currency}


FORMS: Mapping[str, Form] = {
    "classification": ClassForm(),
    "multiclass": SeveralForm(),
    "regression": ValueForm(),
}
# beside the outputs of a form, where rows may be left to people
ABSTAINING: tuple[Output, ...] = (
    Output("abstained", "boolean", "true where the row is left to people"),
    Output("reason", "string", "why it is, null where it is not"),
)


def _steps(found: Mapping[str, Json]) -> dict[str, Json]:
    """The margin of each step: what answers about other steps promise is nothing."""
    given = found.get("steps")
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return {"steps": [{name: row[name] for name in ("step", "low", "high")} for row in rows]}


def _evaluated(context: Context) -> Mapping[str, Json]:
    path = context.inputs.get("evaluation")
    facts = read_document(path).get("facts") if path else None
    return facts if isinstance(facts, dict) else {}


def _label_type(positive: Json) -> Type:
    if isinstance(positive, bool):
        return "boolean"
    return "number" if isinstance(positive, int | float) else "string"
