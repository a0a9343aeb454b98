"""Ask evidently for its figures, in an environment of its own (`make references`).

Without an argument they are written to evidently.json, with `--check` compared with what is there.
evidently 0.7.23 cannot be imported beside pandas 3, so that the tests read its figures from the
file. Its tests are asked as its reports ask them, through the registry of statistical tests.
"""

import json
import math
import sys
from pathlib import Path

import evidently
import pandas as pd
from evidently.legacy.calculations.stattests import (
    chi_stat_test,
    ks_stat_test,
    psi_stat_test,
    tvd_stattest,
)
from evidently.legacy.calculations.stattests.registry import get_stattest
from evidently.legacy.core import ColumnType

from tests.references.evidently_cases import Case, cases

KEPT = Path(__file__).with_name("evidently.json")


def figures(case: Case) -> dict[str, float | None]:
    """What evidently computes of one case; None for what is not a number."""
    kind, reference, window = case
    old, new = pd.Series(reference), pd.Series(window)
    numeric = kind == "number"
    of = ColumnType.Numerical if numeric else ColumnType.Categorical
    wanted = {"psi": psi_stat_test}
    wanted |= {"ks_p": ks_stat_test} if numeric else {"chi_p": chi_stat_test}
    found = {
        name: float(get_stattest(old, new, of, test.name).func(old, new, of, 0.05)[0])
        for name, test in wanted.items()
    }
    if not numeric:
        found["distance"] = float(tvd_stattest._total_variation_distance(old, new))
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def same(value: float | None, kept: float | None) -> bool:
    """Equal but for the last digits."""
    if value is None or kept is None:
        return value is kept
    return math.isclose(value, kept, rel_tol=1e-9, abs_tol=1e-12)


def main(arguments: list[str]) -> int:
    """Write or compare; 1 where a figure is another than the kept one."""
    found = {
        "evidently": evidently.__version__,
        "figures": {name: figures(case) for name, case in cases().items()},
    }
    if "--check" not in arguments:
        KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    wrong = [
        f"{name}: {figure} is {value!r}, kept {kept['figures'].get(name, {}).get(figure)!r}"
        for name, each in found["figures"].items()
        for figure, value in each.items()
        if not same(value, kept["figures"].get(name, {}).get(figure))
    ]
    if kept["evidently"] != found["evidently"]:
        wrong.append(f"kept of evidently {kept['evidently']}, asked {found['evidently']}")
    print("\n".join(wrong) or f"evidently {found['evidently']} says what is kept.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
