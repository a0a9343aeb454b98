"""Declaration of `compare_artefacts`."""

from pipelines.operations.contract import EXTENSIONS, Param, Port, Spec

# Floats that were added up in another order differ by some units in the last place (own): a
# thousandth of a millionth leaves room for sums over millions of rows, and for nothing else.
RELATIVE = 1e-9
# Catalogue 6.2, reproducibility: a metric may move by a tenth of its standard error (meas/own).
SE_SHARE = 0.1

SPEC = Spec(
    name="compare_artefacts",
    version=1,
    summary="Compare an artefact with the same computed again: equal, within tolerance, different",
    inputs=(
        Port("kept", "any", help="The artefact as it was kept"),
        Port("again", "any", help="The artefact as it was computed again"),
    ),
    outputs=(Port("report", "json", help="The verdict, and where they differ"),),
    params=(
        Param(
            "media", "str", "any", choices=tuple(sorted(EXTENSIONS)), help="What they are made of"
        ),
        Param(
            "relative", "float", RELATIVE, minimum=0, maximum=1,
            help="How far a number may be off, as a share of the greater one",
        ),
        Param(
            "se_share", "float", SE_SHARE, minimum=0, maximum=1,
            help="How far a value with an interval may be off, in standard errors",
        ),
    ),
    max_runtime=600,
    max_memory=2048,
)  # fmt: skip
