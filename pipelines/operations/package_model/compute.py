"""Pack a candidate into the serving package and prove that it loads and scores equally."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from skops.io import get_untrusted_types

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning.candidates import (
    Candidate,
    Holdout,
    open_candidate,
    open_holdout,
)
from pipelines.operations.learning.texts import as_read
from pipelines.operations.package_model.abstaining import abstain_rule, left_share
from pipelines.operations.package_model.forms import ABSTAINING, FORMS
from pipelines.operations.package_model.signature import (
    guessed_columns,
    not_null_of,
    signature_of,
)
from pipelines.operations.packages import archive, environment
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.packages.loaded import Loaded, load_package, plain_rows, scores_of
from pipelines.operations.packages.signature import Output, Signature
from pipelines.operations.rowwise.compile import (
    NotCompilableError,
    compile_pipeline,
    largest_difference,
)
from pipelines.operations.tables import read_document


def run(context: Context) -> Outcome:
    """Write the package; raises OperationError where it would not score as the candidate does."""
    candidate = open_candidate(context.inputs["candidate"], context)
    holdout = open_holdout(context.inputs["holdout"], candidate)
    signature = _signature(context, candidate, holdout)
    frame = as_read(holdout.frame[list(candidate.columns)], candidate.features)
    golden = _golden(frame, count=context.whole("golden"), seed=context.seed)
    scores = scores_of(candidate.model, golden)
    rows = plain_rows(golden, signature)
    context.progress(0.4, "golden rows scored", len(rows))
    form = _row_form(context, candidate.model, (golden, rows, scores))
    entries = _entries(context, signature, (rows, scores), getattr(candidate.model, "needs", ()))
    manifest = _manifest(context, candidate, holdout, row_form=form["kept"] is True)
    package = context.output("package")
    archive.write_archive(package, entries, manifest)
    loaded = _proved(package.read_bytes())
    context.progress(1.0, "package proved against its golden rows", len(rows))
    facts = _facts(loaded, form, entries, rows)
    facts["left_share"] = left_share(manifest, holdout.scores) if holdout.classes else None
    return Outcome({"package": package}, facts)


def _signature(context: Context, candidate: Candidate, holdout: Holdout) -> Signature:
    known = candidate.features
    columns = known.columns if known else guessed_columns(candidate.columns, holdout.frame)
    return signature_of(
        columns,
        holdout.frame,
        outputs=_outputs(context, candidate, holdout),
        not_null=not_null_of(_optional(context, "contract")),
        closed_up_to=context.whole("closed_up_to"),
    )


def _outputs(context: Context, candidate: Candidate, holdout: Holdout) -> tuple[Output, ...]:
    own = FORMS[candidate.task.name].outputs(candidate.target, holdout.classes)
    return (*own, *ABSTAINING) if context.flag("abstain") and holdout.classes else own


def _optional(context: Context, port: str) -> dict[str, Json]:
    path = context.inputs.get(port)
    return {} if path is None else read_document(path)


def _golden(holdout: pd.DataFrame, *, count: int, seed: int) -> pd.DataFrame:
    """Seeded rows, among them one with each column missing where the table has such."""
    chosen = np.random.default_rng(seed).permutation(len(holdout))[:count].tolist()
    for name in holdout.columns:
        gaps = np.flatnonzero(holdout[name].isna().to_numpy())
        chosen += gaps[:1].tolist()
    return holdout.iloc[sorted(set(chosen))].reset_index(drop=True)


def _row_form(
    context: Context, model: object, golden: tuple[pd.DataFrame, list[dict[str, Json]], np.ndarray]
) -> dict[str, Json]:
    """Whether the row form is kept, why not, and how far its scores are from the pipeline's."""
    frame, rows, scores = golden
    if not context.flag("row_form"):
        return {"kept": False, "reason": "switched off", "difference": None}
    try:
        scorer = compile_pipeline(model, frame)
    except NotCompilableError as problem:
        return {"kept": False, "reason": str(problem), "difference": None}
    two = hasattr(model, "predict_proba")
    whole = scores if scores.ndim > 1 else None
    pairs = np.column_stack([1 - scores, scores] if two else [scores]) if whole is None else whole
    worst = largest_difference(scorer, rows, pairs)
    kept = worst <= context.number("tolerance")
    reason = "" if kept else f"golden rows differ by {worst:g}"
    return {"kept": kept, "reason": reason, "difference": worst if np.isfinite(worst) else None}


def _entries(
    context: Context,
    signature: Signature,
    golden: tuple[list[dict[str, Json]], np.ndarray],
    needs: Sequence[str],
) -> dict[str, bytes]:
    rows, scores = golden
    samples = rows[: context.whole("samples")]
    return {
        archive.MODEL: context.inputs["candidate"].read_bytes(),
        archive.SIGNATURE: archive.dump(signature.as_json()),
        archive.SAMPLES: archive.dump({"rows": list[Json](samples)}),
        archive.GOLDEN: archive.dump({"rows": list[Json](rows), "scores": scores.tolist()}),
        archive.ENVIRONMENT: archive.dump(environment.describe(also=needs)),
    }


def _manifest(
    context: Context, candidate: Candidate, holdout: Holdout, *, row_form: bool
) -> dict[str, Json]:
    decided = FORMS[candidate.task.name].manifest(context, holdout.classes)
    if holdout.classes:
        rule = abstain_rule(context, decided, holdout.classes)
        decided |= {"abstain": rule} if rule else {}
    return {
        "kind": candidate.task.name,
        "target": candidate.target,
        "classes": list(holdout.classes),
        **decided,
        "tolerance": context.number("tolerance"),
        "row_form": row_form,
        "family": candidate.family,
        "features": candidate.features.digest() if candidate.features else None,
        "limits": {"max_rows": context.whole("max_rows")},
        "licence": context.text("licence"),
    }


def _proved(data: bytes) -> Loaded:
    try:
        return load_package(data)
    except PackageError as problem:
        raise OperationError(
            "package_not_proved", f"the package does not load: {problem}",
            field="package", value=problem.code, rule="loads and scores its golden rows equally",
        ) from problem  # fmt: skip


def _facts(
    loaded: Loaded,
    form: Mapping[str, Json],
    entries: Mapping[str, bytes],
    rows: Sequence[Mapping[str, Json]],
) -> dict[str, Json]:
    facts = archive.load(entries, archive.ENVIRONMENT)
    untrusted = get_untrusted_types(data=entries[archive.MODEL])
    return {
        "digest": loaded.digest,
        "bytes": sum(len(data) for data in entries.values()),
        "entries": list[Json](sorted([*entries, archive.MANIFEST])),
        "inputs": len(loaded.signature.inputs),
        "columns": list[Json](loaded.signature.names),
        "types": {column.name: column.type for column in loaded.signature.inputs},
        "task": loaded.manifest.get("kind"),
        "threshold": loaded.manifest.get("threshold"),
        "interval": loaded.manifest.get("interval"),
        "costs": loaded.manifest.get("costs"),
        "abstain": loaded.manifest.get("abstain"),
        "classes": loaded.manifest.get("classes"),
        "golden_rows": len(rows),
        "row_form": form["kept"],
        "row_form_reason": form["reason"],
        "row_form_difference": form["difference"],
        "scoring_path": loaded.path,
        "own_types": list[Json](sorted(untrusted)),
        "licence": loaded.manifest.get("licence"),
        "environment": facts,
        "deviations": facts["deviations"],
    }
