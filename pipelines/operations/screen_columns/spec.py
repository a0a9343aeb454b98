"""Declaration of `screen_columns`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="screen_columns",
    version=3,  # 3: whole numbers that count rows
    summary="Look for worries where nothing is predicted: gaps, constants, copies, identifiers",
    inputs=(
        Port("rows", "parquet", help="The rows to judge"),
        Port("contract", "json", optional=True, help="Data contract: what is known when"),
    ),
    outputs=(Port("worries", "json", help="Findings with columns, severity and advice"),),
    params=(
        Param("exclude", "list", [], help="Columns that rows will not be compared by"),
        Param("key_column", "str", "", help="Column naming a row"),
        Param("fewest_rows", "int", 50, minimum=10, help="Fewer rows block (own)"),
        Param("most_columns", "int", 1000, minimum=10, help="More columns block (own)"),
        Param("missing_warn", "float", 0.20, minimum=0, maximum=1, help="W3 warns (own)"),
        Param("missing_drop", "float", 0.60, minimum=0, maximum=1, help="W3 says drop (own)"),
        Param("correlation", "float", 0.95, minimum=0, maximum=1, help="W5: Spearman (conv)"),
        Param("outlier_share", "float", 0.05, minimum=0, maximum=1, help="W2 warns (own)"),
        Param("duplicate_share", "float", 0.05, minimum=0, maximum=1, help="Equal rows (own)"),
        Param("memory_mib", "int", 2048, minimum=1, help="W8: memory of a worker in MiB"),
        Param("max_rows", "int", 20_000, minimum=500, help="Rows sampled for W5"),
    ),
    max_runtime=300,
    max_memory=1536,
)
