"""How long `manage.py up` takes until /readyz answers; prints JSON lines.

python -m benchmarks.startup
"""

from benchmarks.served import median, report, up


def main() -> None:
    """The first start makes the servers' folders and the tables, the others find them."""
    with up() as first:
        pass
    report("startup", "make up, very first", seconds=round(first, 2))
    again = []
    for _ in range(3):
        with up() as took:
            again.append(took)
    report(
        "startup", "make up, installed checkout", p50_s=median(again) / 1000,
        worst_s=round(max(again), 2), bar_s=5,
    )  # fmt: skip


if __name__ == "__main__":
    main()
