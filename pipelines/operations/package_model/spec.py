"""Declaration of `package_model`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="package_model",
    version=2,
    summary="Pack a candidate with signature, samples, golden rows and environment, ready to serve",
    inputs=(
        Port("candidate", "skops", help="The fitted pipeline"),
        Port("holdout", "parquet", help="Unseen rows: samples and golden rows"),
        Port("evaluation", "json", optional=True, help="Where threshold or interval come from"),
        Port("band", "json", optional=True, help="Which rows are left to people, as measured"),
        Port("contract", "json", optional=True, help="Data contract: which columns may be missing"),
    ),
    outputs=(Port("package", "zip", help="The serving package"),),
    params=(
        Param("target", "str", "", help="For a model brought in: what it predicts"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: its time column"),
        Param("threshold", "float", None, minimum=0, maximum=1, help="Overrides the evaluation's"),
        Param("samples", "int", 5, minimum=1, maximum=100, help="Example rows for clients"),
        Param("golden", "int", 200, minimum=20, maximum=2000, help="Rows to score equally"),
        Param(
            "tolerance", "float", 1e-12, minimum=0, maximum=1e-4,
            help="Largest difference of a golden score: trees are bit-equal, linear models may "
            "differ in the last bit (meas); graphs of float32 have 7 digits",
        ),
        Param(
            "closed_up_to", "int", 25, minimum=0, maximum=255,
            help="A column with at most so many categories refuses others; with "
            "more, an unknown one counts as missing (own)",
        ),
        Param("max_rows", "int", 5000, minimum=1, maximum=100_000, help="Rows per request"),
        Param("row_form", "bool", True, help="Compile the fast form for single rows (meas: 100x)"),
        Param("abstain", "bool", False, help="Leave the rows of the band to people"),
        Param("licence", "str", "", maximum=100, help="Licence of model and data"),
    ),
    max_runtime=300,
    max_memory=2048,
)  # fmt: skip
