"""Declaration of `evaluate_classes`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="evaluate_classes",
    version=3,
    summary="Judge decisions class by class, and where it were better to answer nothing",
    inputs=(
        Port("predictions", "parquet", help="Score, label and decisions per row, as evaluated"),
        Port("evaluation", "json", help="The evaluation they come from: threshold and classes"),
        Port("holdout", "parquet", optional=True, help="The same rows, for their groups"),
    ),
    outputs=(Port("classes", "json", help="Classes, confusion, and the abstain band's curve"),),
    params=(
        Param("group_column", "str", "", help="Rows of one group are drawn together"),
        Param(
            "abstain_error", "float", 0.1, minimum=0.0, maximum=0.5,
            help="Share of wrong answers that the abstain band should leave (own)",
        ),
        Param("samples", "int", 1000, minimum=50, maximum=10_000, help="Bootstrap samples"),
    ),
    max_runtime=300,
    max_memory=1024,
)  # fmt: skip
