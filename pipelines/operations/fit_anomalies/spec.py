"""Declaration of `fit_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="fit_anomalies",
    version=2,
    summary="Learn what is ordinary by one family; scores say how few ordinary rows are like it",
    inputs=(
        Port("train", "parquet", help="Ordinary rows, as they came"),
        Port("features", "json", help="The columns to compare them by"),
    ),
    outputs=(Port("model", "skops", help="From raw columns to a score from 0 to 1"),),
    params=(
        Param(
            "family", "str", "forest",
            choices=("robust_z", "forest", "neighbours", "one_class"),
            help="Fixed rule on robust z, IsolationForest, LocalOutlierFactor, one-class SVM",
        ),
        Param(
            "rows", "int", 5000, minimum=200, maximum=100_000,
            help="Rows that are learned from at most: neighbours and SVM compare rows with rows",
        ),
        Param(
            "scale", "str", "standard", choices=("standard", "ranks"),
            help="How numbers come onto one scale",
        ),
    ),
    max_runtime=600,
    max_memory=1536,
)  # fmt: skip
