"""How often each worry's detector speaks up by chance, and how often where something is wrong.

`python -m benchmarks.worries [repetitions] [rows]` prints two Markdown tables: detectors over a
run's facts, then those over tables of twenty columns; with `rows` only tables of that many rows.
Seeded; half an hour on two cores that do nothing else, most of it for the largest tables.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from pipelines import catalogue
from pipelines.checks.worries import look
from pipelines.checks.worries.judging import harmful
from pipelines.operations.contract import Context, clean_params
from pipelines.operations.detect_worries.compute import _find
from pipelines.operations.detect_worries.findings import Finding, levels
from pipelines.operations.tables import row_hashes

ROWS = (50, 200, 1_000, 10_000)
COLUMNS = 20
SPEC = catalogue.spec("detect_worries")
Rng = np.random.Generator


def table(draw: Rng, n: int) -> pd.DataFrame:
    """Twenty columns that have nothing to do with each other: 14 skewed or not, 6 of categories."""
    columns = {f"normal{i}": draw.normal(size=n) for i in range(6)}
    columns |= {f"waiting{i}": draw.exponential(size=n) for i in range(4)}
    columns |= {f"money{i}": np.exp(draw.normal(size=n)) for i in range(2)}
    columns |= {f"count{i}": draw.poisson(3, n) for i in range(2)}
    sizes = (2, 3, 8, 20, 60, 60)
    columns |= {
        f"kind{i}": np.char.add("v", draw.integers(0, size, n).astype(str)).astype(object)
        for i, size in enumerate(sizes)
    }
    frame = pd.DataFrame(columns)
    for name in ("normal0", "waiting0", "count0", "kind2"):
        frame[name] = frame[name].astype(object if name == "kind2" else float)
        frame.loc[draw.random(n) < 0.10, name] = None if name == "kind2" else np.nan
    return frame


def two(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=draw.integers(0, 2, len(frame)))


def twelve(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=np.char.add("c", draw.integers(0, 12, len(frame)).astype(str)))


def number(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=draw.normal(size=len(frame)))


def rare(draw: Rng, frame: pd.DataFrame, share: float) -> pd.DataFrame:
    return frame.assign(y=(draw.random(len(frame)) < share).astype(int))


def wrong(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    """One thing of each worry, at the size that the second table states."""
    n = len(frame)
    frame = rare(draw, frame, 0.05)
    odd = draw.random(n) < 0.10
    frame["normal1"] = np.where(odd, frame["normal1"] + 8, frame["normal1"])
    label = frame["y"].to_numpy() == 1
    gone = draw.random(n) < np.where(label, 0.45, 0.15)
    frame["normal2"] = np.where(gone, np.nan, frame["normal2"])
    frame["id"] = [f"u{value}" for value in draw.integers(0, 10 * n, n)]
    frame["near"] = frame["normal3"] + 0.2 * draw.normal(size=n)
    frame["told"] = label + draw.normal(size=n) / 3
    frame["again"] = frame["normal4"]
    return frame


def crowd(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    """An eighth of a hundred rows is 4 standard deviations off in five columns at once."""
    shifted = draw.random(len(frame)) < 0.08
    for name in [f"normal{i}" for i in range(1, 6)]:
        frame[name] = frame[name] + np.where(shifted, 4 * draw.choice([-1, 1], len(frame)), 0)
    return two(draw, frame)


def heavy(draw: Rng, frame: pd.DataFrame) -> pd.DataFrame:
    return two(draw, frame.assign(heavy=draw.standard_t(3, len(frame))))


TABLES: tuple[tuple[str, Callable[[Rng, pd.DataFrame], pd.DataFrame]], ...] = (
    ("nothing wrong, two classes", two),
    ("nothing wrong, twelve classes", twelve),
    ("nothing wrong, a number", number),
    ("true share of a class 12 %", lambda draw, frame: rare(draw, frame, 0.12)),
    ("a column of Student's t, 3 degrees", heavy),
    ("something wrong of each", wrong),
    ("a crowd of odd rows", crowd),
)
WORRIES = ("W1", "W2", "W3", "W4", "W5", "W6", "W7")


def spoken(frame: pd.DataFrame, seed: int, folder: Path) -> tuple[set[str], set[str]]:
    """Worries with a finding, and those said to lack data."""
    context = Context(
        spec=SPEC, folder=folder, inputs={}, many={}, seed=seed,
        params=clean_params(SPEC, {"target": "y"}),
    )  # fmt: skip
    found = list(_find(context, frame, {}))
    said = levels(found)
    return (
        {one.worry for one in found if isinstance(one, Finding)},
        {key for key, level in said.items() if level == "not enough data"},
    )


def tables(repetitions: int, sizes: Sequence[int]) -> None:
    """Share of tables with a finding (note or worse) of each worry."""
    print(f"| Tables of {COLUMNS} columns | Rows | Tables | {' | '.join(WORRIES)} |")
    print(f"|---|---|---|{'---|' * len(WORRIES)}")
    with TemporaryDirectory() as folder:
        for n in sizes:
            many = repetitions if n < 5_000 else max(1, repetitions // 8)
            for name, make in TABLES if n >= 100 else TABLES[:3]:
                counts, few = Counter[str](), Counter[str]()
                for seed in range(many):
                    draw = np.random.default_rng([seed, n])
                    told, lacking = spoken(make(draw, table(draw, n)), seed, Path(folder))
                    counts.update(told)
                    few.update(lacking)
                cells = (
                    "few" if few[key] == many else f"{counts[key] / many:.1%}" for key in WORRIES
                )
                print(f"| {name} | {n:,} | {many} | {' | '.join(cells)} |", flush=True)


def shared(draw: Rng, n: int, *, discrete: bool, copies: float) -> bool:
    """W6: rows of the holdout that training has too."""

    def rows(size: int) -> pd.DataFrame:
        if discrete:
            return pd.DataFrame(draw.integers(0, 8, (size, 4)), columns=list("abcd"))
        return pd.DataFrame(draw.normal(size=(size, 4)), columns=list("abcd"))

    train, held = rows(n), rows(n // 4)
    count = int(copies * len(held))
    if count:
        held.iloc[:count] = train.iloc[:count].to_numpy()
    hashed = pd.Series(row_hashes(train))
    scan = {
        "suspects": [], "open": [], "future_times": [], "rows": n, "holdout_rows": len(held),
        "overlap_rows": int(np.isin(row_hashes(held), hashed).sum()),
        "repeated_rows": int(hashed.duplicated(keep=False).sum()), "overlap_first": [],
    }  # fmt: skip
    return look("W6", {"explore.leakage": scan}).level == "warn"


def border(draw: Rng, folds: int, *, slope: float) -> tuple[bool, bool]:
    """W16 to W19: a search of 12 trials over five parameters; (a border is hit, the worry warns).

    `slope`: what the way from one end of the first range to the other is worth, in standard
    deviations of a fold's noise.
    """
    values = draw.random((12, 5))
    fold_level = draw.normal(0, 3, folds)
    scores = slope * values[:, [0]] + fold_level + draw.normal(size=(12, folds))
    best = int(scores.mean(1).argmax())
    names = ["learning_rate", "max_iter", "max_leaf_nodes", "min_samples_leaf", "l2_regularization"]
    if slope:
        values[:, 0] = np.where(values[:, 0] == values[:, 0].max(), 1.0, values[:, 0])
    hits = [name for name, v in zip(names, values[best], strict=True) if v < 0.02 or v > 0.98]
    search = {
        "family": "boosting", "tunables_searched": names, "border_hits": hits, "best_trial": best,
        "settings": dict(zip(names, values[best].tolist(), strict=True)),
        "borders": [{"name": name, "from": 0.0, "to": 1.0,
                     "end": "low" if values[best][names.index(name)] < 0.5 else "high"}
                    for name in hits],
        "trials": [{"trial": t, "state": "complete", "rows": 1, "folds": scores[t].tolist(),
                    "settings": dict(zip(names, values[t].tolist(), strict=True))}
                   for t in range(12)],
    }  # fmt: skip
    keys = ("W16", "W17", "W18", "W19")
    return bool(hits), any(look(key, {"tune.search": search}).level == "warn" for key in keys)


def ensemble(draw: Rng, folds: int, *, gain: float) -> bool:
    """W22 warns of boosting that is better by `gain` standard deviations of a fold's difference."""
    level = draw.normal(0, 3, folds)
    single = level + draw.normal(size=folds) / np.sqrt(2)
    many = level + gain + draw.normal(size=folds) / np.sqrt(2)
    rows = [{"family": name, "mean": float(values.mean()), "folds": values.tolist()}
            for name, values in (("linear", single), ("boosting", many))]  # fmt: skip
    chosen = {"families": ["linear", "boosting"], "candidates": rows,
              "chosen_family": "boosting", "metric": "roc_auc"}  # fmt: skip
    return look("W22", {"tune.select": chosen}).level == "warn"


def columns(draw: Rng, count: int, *, harm: float) -> tuple[bool, bool]:
    """W24: of useless columns one harms by `harm` SE: (uncorrected, as the worry says)."""
    values = draw.normal(size=count)
    values[0] -= harm
    rows = [{"column": f"c{n}", "value": v, "low": v - 1.96, "high": v + 1.96}
            for n, v in enumerate(values.tolist())]  # fmt: skip
    return any(row["high"] < 0 for row in rows), bool(harmful(rows))


def facts(repetitions: int) -> None:
    """Detectors over a run's facts: share of runs in which they warn."""

    def share(of: Callable[[Rng], bool]) -> str:
        told = [of(np.random.default_rng(seed)) for seed in range(repetitions)]
        return f"{float(np.mean(told)):.1%}"

    print("\n| Detector | Facts | Warns |\n|---|---|---|")
    for n in ROWS[1:]:
        for name, few, copies in (("numbers, none copied", False, 0.0),
                                  ("4 columns of 8 values, none copied", True, 0.0),
                                  ("numbers, 2 % copied", False, 0.02),
                                  ("4 columns of 8 values, 20 % copied", True, 0.2)):  # fmt: skip
            told = share(lambda d, n=n, f=few, c=copies: shared(d, n, discrete=f, copies=c))
            print(f"| W6 rows in both parts | {n:,} rows, {name} | {told} |", flush=True)
    for folds in (3, 4, 10):
        hit = share(lambda d, k=folds: border(d, k, slope=0)[0])
        flat = share(lambda d, k=folds: border(d, k, slope=0)[1])
        print(f"| W16-W19 border | {folds} folds, none matters | {flat} (a border is hit: {hit}) |")
        steep = share(lambda d, k=folds: border(d, k, slope=10)[1])
        print(f"| W16-W19 border | {folds} folds, best at the end, by 10 SD | {steep} |")
    for folds in (3, 4, 10):
        for gain in (0.0, 1.0, 3.0):
            told = share(lambda d, k=folds, g=gain: ensemble(d, k, gain=g))
            print(f"| W22 ensemble | {folds} folds, true gain {gain:g} SD | {told} |")
    for count in (5, 20, 100):
        for harm in (0.0, 5.0):
            each = share(lambda d, c=count, h=harm: columns(d, c, harm=h)[0])
            told = share(lambda d, c=count, h=harm: columns(d, c, harm=h)[1])
            what = f"one harms by {harm:g} SE" if harm else "none harms"
            print(f"| W24 harm | {count} columns of no use, {what} | {told} (uncorrected {each}) |")


def main() -> None:
    """Print both tables."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    sizes = [int(size) for size in sys.argv[2:]] or ROWS
    if len(sizes) > 1:
        facts(max(1000, repetitions))
        print()
    tables(repetitions, sizes)


if __name__ == "__main__":
    main()
