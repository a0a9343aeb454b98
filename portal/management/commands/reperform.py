"""`manage.py reperform RUN`: compute an approved run again and compare every artefact."""

import json
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from pipelines.operations.compare_artefacts.numbers import Tolerance
from pipelines.operations.compare_artefacts.spec import RELATIVE, SE_SHARE
from pipelines.reperform.perform import reperform
from pipelines.reperform.records import approved
from pipelines.reperform.report import WORDS, Repeated, Report
from pipelines.runs.models import Run


class Command(BaseCommand):
    """Repeat a run's steps in supervised children, from recorded inputs, parameters and seeds."""

    help = (
        "Compute an approved run again from its recorded inputs, parameters and seeds, and compare"
        " every artefact: bit-equal, within tolerance or different. Ends with 1 where something is"
        " different or failed, with 2 where there is nothing to repeat. Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("run", type=int, help="id of the run")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--only", default="", metavar="STAGE.STEP", help="repeat this step alone"
        )
        parser.add_argument(
            "--relative", type=float, default=RELATIVE, help="how far floats may be off"
        )
        parser.add_argument(
            "--se-share", type=float, default=SE_SHARE,
            help="how far a value with an interval may be off, in standard errors",
        )  # fmt: skip

    def handle(self, *_args: object, **options: Any) -> None:
        """Print the comparison; exit status 0, 1 or 2. Raises CommandError."""
        run = self._run(options["run"])
        quiet = bool(options["json"])
        scratch = settings.VAR / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="reperform-") as folder:
            report = reperform(
                run,
                Path(folder),
                tell=(lambda _: None) if quiet else self._tell,
                only=options["only"],
                tolerance=Tolerance(options["relative"], options["se_share"]),
            )
        if not report.steps:
            raise CommandError("No step of it has a result, or none has that name.", returncode=2)
        if quiet:
            self.stdout.write(json.dumps(report.as_json(), indent=1))
        else:
            self._sum_up(report)
        if not report.holds:
            raise SystemExit(1)

    def _run(self, pk: int) -> Run:
        run = Run.objects.select_related("use_case", "version__blueprint").filter(pk=pk).first()
        if run is None:
            raise CommandError(f"There is no run {pk}.", returncode=2)
        if not approved(run):
            raise CommandError(
                f"{run} is {run.state.lower()} and nobody has approved anything of it:"
                " there is nothing to hold it against.",
                returncode=2,
            )
        return run

    def _tell(self, step: Repeated) -> None:
        self.stdout.write(f"{step.place}: {step.operation} v{step.version}, {step.seconds:.1f} s")
        for one in step.artefacts:
            line = f"    {WORDS[one.verdict]:<16}  {one.name:<14} {one.kept[:12]}"
            if one.again and one.again != one.kept:
                line += f" -> {one.again[:12]}, largest difference {one.largest_share:.2g}"
            self.stdout.write(line.rstrip())
            for text in (one.reason, *one.where):
                if text:
                    self.stdout.write(f"        {text}")

    def _sum_up(self, report: Report) -> None:
        told = ", ".join(f"{count} {WORDS[name]}" for name, count in report.counts.items() if count)
        verdict = "It holds" if report.holds else "It does NOT hold"
        self.stdout.write(f"{verdict}: {told}.")
