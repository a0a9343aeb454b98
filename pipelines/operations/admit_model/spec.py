"""Declaration of `admit_model`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="admit_model",
    version=1,
    summary="Admit a model that was trained elsewhere: its kind, its types, its signature on rows",
    inputs=(
        Port("model", "skops", accepts=("onnx",), help="The model file, ONNX or skops"),
        Port("declaration", "json", help="What was declared of it"),
        Port("features", "json", help="Its columns, held against table and contract"),
        Port("contract", "json", help="The sealed data contract: what may be missing"),
        Port("holdout", "parquet", help="Rows to try it on"),
        Port("golden", "json", optional=True, help="Rows and the scores they must have"),
    ),
    outputs=(
        Port("candidate", "skops", help="The model as every other step takes it"),
        Port("report", "json", help="What was looked at, tried and found"),
    ),
    params=(
        Param("max_mib", "int", 256, minimum=1, maximum=2000, help="Largest model file (own)"),
        Param("rows", "int", 2000, minimum=20, maximum=100_000, help="Rows it is tried on"),
        Param("singles", "int", 50, minimum=5, maximum=1000, help="Rows scored one at a time"),
        Param(
            "tolerance", "float", 1e-5, minimum=0, maximum=0.01,
            help="Largest difference of equal rows, relative beyond 1: float32 has 7 digits (own)",
        ),
        Param(
            "golden_tolerance", "float", 1e-4, minimum=0, maximum=0.1,
            help="Largest difference to a golden score, which another runtime made (own)",
        ),
    ),
    max_runtime=300,
    max_memory=2048,
)  # fmt: skip
