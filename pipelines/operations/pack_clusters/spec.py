"""Declaration of `pack_clusters`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="pack_clusters",
    version=1,
    summary="Pack a segmentation for its users: model, assignments, profile, and its card",
    inputs=(
        Port("candidate", "skops", help="The segment model"),
        Port("assignments", "parquet", help="The assignments"),
        Port("evaluation", "json", help="The figures it was judged by"),
        Port("profile", "json", help="What sets each segment apart"),
        Port("report", "json", optional=True, help="What was proved of the assignments"),
    ),
    outputs=(
        Port("package", "zip", help="Everything, with digests in a manifest"),
        Port("card", "json", help="The card, field by field"),
        Port("document", "bytes", help="The card as Markdown"),
    ),
    params=(
        Param("title", "str", "", maximum=200, help="Name of the use case"),
        Param("question", "str", "", maximum=2000, help="The question, from the brief"),
        Param("acts", "str", "", maximum=2000, help="Who acts on it, from the brief"),
        Param("names", "map", {}, help="What people call the segments"),
        Param("statements", "map", {}, help="What people state: use, limits, ethics, contact"),
        Param("licence", "str", "", maximum=100, help="Licence of model and data"),
    ),
    max_runtime=120,
    max_memory=1024,
)
