"""Declaration of `fit_clusters`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="fit_clusters",
    version=1,
    summary="Group rows by one family of methods, choose the number of groups, say how stable",
    inputs=(
        Port("rows", "parquet", help="The rows to group"),
        Port("features", "json", help="The columns to compare them by"),
    ),
    outputs=(
        Port("model", "skops", help="From raw columns to a segment for each row"),
        Port("scores", "json", help="Every number of groups tried, and the chosen one's figures"),
    ),
    params=(
        Param(
            "family", "str", "kmeans", choices=("kmeans", "mixture", "density"),
            help="KMeans (number by silhouette), Gaussian mixture (by BIC), or HDBSCAN",
        ),
        Param("fewest", "int", 2, minimum=1, maximum=50, help="Fewest groups to try"),
        Param("most", "int", 8, minimum=2, maximum=50, help="Most groups to try"),
        Param(
            "smallest_share", "float", 0.02, minimum=0.001, maximum=0.5,
            help="Share of the rows from which HDBSCAN takes a crowd for a group (own)",
        ),
        Param(
            "scale", "str", "standard", choices=("standard", "ranks"),
            help="How numbers come onto one scale; ranks where a few values are very large",
        ),
        Param(
            "resamples", "int", 20, minimum=5, maximum=200,
            help="Bootstrap resamples for the stability (conv)",
        ),
        Param(
            "rows", "int", 1500, minimum=100, maximum=10_000,
            help="Rows that number of groups and stability are judged on (own: bounds the time)",
        ),
        Param(
            "fit_rows", "int", 50_000, minimum=1000, maximum=1_000_000,
            help="Rows that are learned from at most; HDBSCAN takes a tenth of it",
        ),
    ),
    max_runtime=600,
    max_memory=1536,
)  # fmt: skip
