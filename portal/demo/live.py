"""What the play shows while it runs: one line a fact, and one moving line for what is under way."""

import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


class Screen:
    """Prints facts as they come; on a terminal the last line moves."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()
        self.live: Live | None = None

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self.live = Live(console=self.console, refresh_per_second=4, transient=True)
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.live is not None:
            self.live.stop()

    @property
    def elapsed(self) -> float:
        """Return seconds since the play began."""
        return time.monotonic() - self.began

    def say(self, who: str, what: str, *, style: str = "") -> None:
        """Print one fact."""
        line = Text(f"{self.elapsed:6.1f} s  ", style="dim")
        line.append(f"{who:<4}", style="bold")
        line.append(f" {what}", style=style)
        self.console.print(line)

    def moving(self, attempts: list[dict[str, Any]]) -> None:
        """Show the steps under way: stage, step, share done, rows a second, time."""
        if self.live is None:
            return
        lines = [_moving(attempt) for attempt in attempts]
        self.live.update(Text("\n".join(lines) or "waiting for people", style="cyan"))


def _moving(attempt: dict[str, Any]) -> str:
    share = attempt["progress"]
    parts = [f"        … {attempt['stage_key']} · {attempt['step_key']}"]
    if share is not None:
        parts.append(f"{share:4.0%}")
    rows, seconds = attempt["progress_rows"], attempt.get("seconds") or 0
    if rows and seconds > 0:
        parts.append(f"{rows / seconds:,.0f} rows/s")
    if attempt["progress_text"]:
        parts.append(attempt["progress_text"])
    return " · ".join(parts)


def summary_table(rows: list[dict[str, Any]], *, title: str) -> Table:
    """Return the play as a table: a row for each round of each stage."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in ("stage", "persona", "person"):
        table.add_column(name)
    for name in ("work", "wait", "attempts", "round", "checks passed"):
        table.add_column(name, justify="right")
    table.add_column("decision")
    for row in rows:
        table.add_row(
            row["stage"],
            row["persona"],
            row["person"],
            _seconds(row["work"]),
            _seconds(row["wait"]),
            str(row["attempts"]),
            str(row["round"]),
            row["checks"],
            row["decision"],
        )
    return table


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
