"""Declaration of `select_clusters`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="select_clusters",
    version=2,
    summary="Choose among segment models: stable ones first, then the best separated",
    inputs=(
        Port("models", "skops", many=True, help="The segment models"),
        Port("scores", "json", many=True, help="Their scores, in the same order"),
    ),
    outputs=(
        Port("candidate", "skops", help="The chosen model"),
        Port("comparison", "json", help="All of them, and why this one"),
    ),
    params=(
        Param("stable", "float", 0.8, minimum=0, maximum=1, help="Mean adjusted Rand (conv)"),
        Param("reject", "float", 0.6, minimum=0, maximum=1, help="Below it, none is taken (conv)"),
        Param("fewest", "int", 2, minimum=1, maximum=50, help="Fewest groups that can be acted on"),
        Param("most", "int", 8, minimum=2, maximum=50, help="Most groups that can be acted on"),
        Param(
            "smallest_share", "float", 0.02, minimum=0, maximum=0.5,
            help="Share of the rows that the smallest group needs (own)",
        ),
        Param(
            "outside_share", "float", 0.3, minimum=0, maximum=1,
            help="Rows in no group at most (own)",
        ),
    ),
    max_runtime=120,
    max_memory=1024,
)  # fmt: skip
