"""The engine."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Runs with their stages, steps, attempts, work items, gates and hand-offs."""

    name = "pipelines.runs"
    label = "runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the ledger note on a run's row when the run last moved."""
        from personas import ledger  # noqa: PLC0415 - models exist only now
        from pipelines.runs import checks  # noqa: F401, PLC0415 - registers itself
        from pipelines.runs.models.runs import MOVED  # noqa: PLC0415

        ledger.follow("run", MOVED)
