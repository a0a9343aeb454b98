"""Declaration of `write_card`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="write_card",
    version=2,
    summary="Write the model card: what was computed, and what people state about the model",
    inputs=(
        Port("package", "zip", help="The serving package"),
        Port("evaluation", "json", help="Scores, calibration, threshold and worth"),
        Port("slices", "json", optional=True, help="Quality by slice"),
        Port("explanation", "json", optional=True, help="Importance and worst errors"),
        Port("contract", "json", optional=True, help="The sealed data contract"),
        Port("retrain", "json", optional=True, help="Report of the clean retrain"),
    ),
    outputs=(
        Port("card", "json", help="The card, field by field, with the source of each"),
        Port("document", "bytes", help="The card as Markdown"),
    ),
    params=(
        Param("title", "str", "", maximum=200, help="Name of the use case"),
        Param("question", "str", "", maximum=2000, help="The question it answers, from the brief"),
        Param(
            "statements", "map", {},
            help="What people state: intended_use, out_of_scope, factors, ethics, caveats, "
            "recommendations, contact, licence",
        ),
        Param("acts", "str", "", maximum=2000, help="Who acts on the answer, from the brief"),
        Param("fallback", "str", "", maximum=2000, help="What happens without it, from the brief"),
    ),
    max_runtime=60,
    max_memory=512,
)  # fmt: skip
