"""How often the four-fifths flag rises by chance, and how often where rates really differ.

`python -m benchmarks.fairness` prints a Markdown table; seeded, some seconds.
"""

import numpy as np

from pipelines.operations.screen_fairness import rates

DRAWS = 1000
LEAST, CERTAIN = 0.8, 0.05  # the check's defaults
# groups, rows of each, rate of all but the first group, rate of the first
CASES = (
    (2, 50, 0.3, 0.3),
    (2, 200, 0.3, 0.3),
    (2, 1000, 0.3, 0.3),
    (5, 50, 0.3, 0.3),
    (5, 200, 0.3, 0.3),
    (5, 1000, 0.3, 0.3),
    (12, 100, 0.2, 0.2),
    (2, 50, 0.3, 0.2),
    (2, 200, 0.3, 0.2),
    (2, 1000, 0.3, 0.2),
    (5, 200, 0.3, 0.2),
    (5, 1000, 0.3, 0.2),
)


def shares(groups: int, rows: int, rate: float, first: float) -> tuple[float, float]:
    """Of DRAWS evaluations: with a ratio below four fifths; of these, not explained by chance."""
    draw = np.random.default_rng(1)
    true = np.asarray([first, *[rate] * (groups - 1)])
    below = flagged = 0
    for seed in range(DRAWS):
        cases = draw.binomial(rows, true)
        if cases.max() and cases.min() / cases.max() < LEAST:
            below += 1
            p = rates.p_value(cases, [rows] * groups, seed=seed)
            flagged += p is not None and p <= CERTAIN
    return below / DRAWS, flagged / DRAWS


def main() -> None:
    """Print the table."""
    print("| Groups | Rows of each | Rates | Ratio < 0.8 | Flagged |")
    print("|---|---|---|---|---|")
    for groups, rows, rate, first in CASES:
        below, flagged = shares(groups, rows, rate, first)
        told = f"all {rate}" if rate == first else f"one {first}, else {rate}"
        print(f"| {groups} | {rows:,} | {told} | {below:.1%} | {flagged:.1%} |")


if __name__ == "__main__":
    main()
