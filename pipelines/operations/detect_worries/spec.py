"""Declaration of `detect_worries`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="detect_worries",
    version=2,
    summary="Look for the worries about data: W1 imbalance to W8 memory",
    inputs=(
        Port("table", "parquet", help="The table to judge"),
        Port("contract", "json", optional=True, help="Data contract: types, what is known when"),
    ),
    outputs=(Port("worries", "json", help="Findings with columns, severity and advice"),),
    params=(
        Param("target", "str", required=True, help="Target column"),
        Param("time_column", "str", "", help="Column with the time of prediction"),
        Param(
            "task",
            "str",
            "",
            choices=("", "classification", "regression"),
            help="What the target is; empty: a number with more than 20 values is a number",
        ),
        Param("key_column", "str", "", help="Column naming a row: examples are told by it"),
        Param("text_columns", "list", [], help="Columns of texts, which differ in every row"),
        Param("exclude", "list", [], help="Columns that will not be features"),
        Param("minority_warn", "float", 0.10, minimum=0, maximum=0.5, help="W1 warns (own)"),
        Param("minority_block", "float", 0.01, minimum=0, maximum=0.5, help="W1 blocks (own)"),
        Param("outlier_share", "float", 0.05, minimum=0, maximum=1, help="W2 warns (own)"),
        Param("missing_warn", "float", 0.20, minimum=0, maximum=1, help="W3 warns (own)"),
        Param("missing_drop", "float", 0.60, minimum=0, maximum=1, help="W3 says drop (own)"),
        Param("max_categories", "int", 255, minimum=2, help="W4: limit of the boosting (tool)"),
        Param("correlation", "float", 0.95, minimum=0, maximum=1, help="W5: Spearman (conv)"),
        Param("association", "float", 0.90, minimum=0, maximum=1, help="W5: Cramer's V (conv)"),
        Param("inflation", "float", 10.0, minimum=1, help="W5: variance inflation (conv)"),
        Param("leak_score", "float", 0.95, minimum=0.5, maximum=1, help="W6: one column (own)"),
        Param("memory_mib", "int", 2048, minimum=1, help="W8: memory of a worker in MiB"),
        Param("max_rows", "int", 20_000, minimum=500, help="Rows sampled for W2, W5 and W6"),
    ),
)
