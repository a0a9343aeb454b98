"""The 28 tests of the ML Test Score (Breck et al. 2017), as data. Pure."""

from dataclasses import dataclass
from typing import Final

# Days an attestation holds where its test says nothing (own), by the use case's tier: what is at
# stake every day is looked at again sooner. None holds longer than a year (own).
DAYS_BY_TIER: Final = {1: 90, 2: 180, 3: 365}
MOST_DAYS: Final = 365
# The content an attestation is bound to, by the name pages show.
CONTRACT, FEATURES, CANDIDATE = "data contract", "feature definition", "chosen model"
PACKAGE, BRIEF = "serving package", "brief"


@dataclass(frozen=True)
class TestDef:
    """One test: what it asks, who works on it, who signs, and what earns the point.

    `signers`: all of these personas, for half a point; nobody where it is empty. `signs`: the
    content they sign, as far as the run has it; `needs`: without this one there is nothing to sign.
    `repeats`: operations (of one kind of use case or another) whose computing is counted.
    `days`: how long a statement holds at most, where the matter moves faster than the tier's days.
    """

    id: str
    section: str
    title: str
    persona: str
    earns: str
    signers: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    days: int = MOST_DAYS

    @property
    def needs(self) -> str:
        """The content without which there is nothing to sign; "" where nobody signs."""
        return self.signs[-1] if self.signs else ""


TESTS: Final = (
    TestDef(
        "Data1", "data", "Feature expectations are captured in a schema", "DE",
        "Sign the data contract and hold every snapshot against it.",
        signers=("DE",), signs=(CONTRACT,), repeats=("validate_data",),
    ),
    TestDef(
        "Data2", "data", "All features are beneficial", "MLR",
        "Drop the features whose interval covers zero, or say why they stay.",
        signers=("MLR",), signs=(FEATURES,), repeats=("explain_model",),
    ),
    TestDef(
        "Data3", "data", "No feature's cost is too much", "DE",
        "Sign what each source costs; the time per feature is measured already.",
        signers=("DE",), signs=(CONTRACT, FEATURES), repeats=("build_features", "build_inputs"),
    ),
    TestDef(
        "Data4", "data", "Features adhere to meta-level requirements", "DE",
        "Declare rights and availability of every column, and use none that is not there in time.",
        signers=("DE", "BA"), signs=(CONTRACT,), repeats=("build_features", "build_inputs"),
    ),
    TestDef(
        "Data5", "data", "The data pipeline has privacy controls", "DE",
        "Decide on every column that may hold personal data, and say how long it is kept.",
        signers=("DE",), signs=(CONTRACT,), repeats=("infer_contract",),
    ),
    TestDef(
        "Data6", "data", "New features can be added quickly", "MLR",
        "Change the features twice: the time from there to the next evaluation is measured.",
    ),
    TestDef(
        "Data7", "data", "All input feature code is tested", "SWE",
        "Let every feature test pass: missing, unknown, empty, types, round trip.",
        signers=("SWE",), signs=(FEATURES,), repeats=("build_features", "build_inputs"),
    ),
    TestDef(
        "Model1", "model", "Model specs are reviewed and versioned", "DS",
        "Have somebody other than its author approve the evaluation.",
    ),
    TestDef(
        "Model2", "model", "Offline and online metrics correlate", "BA",
        "Report the KPI after each of five releases; from there the correlation is computed.",
        signers=("BA",), signs=(BRIEF, PACKAGE),
    ),
    TestDef(
        "Model3", "model", "All hyperparameters are tuned", "MLR",
        "Search the parameters with at least ten logged trials.",
        signers=("MLR",), signs=(CANDIDATE,),
        repeats=("search_candidate", "select_clusters", "select_anomalies"),
    ),
    TestDef(
        "Model4", "model", "The impact of model staleness is known", "MLR",
        "Train on older data and score on new: a curve of score by age, with its half-life.",
        signers=("MLR",), signs=(CANDIDATE,), repeats=("age_model",),
    ),
    TestDef(
        "Model5", "model", "A simpler model is not better", "MLR",
        "Compare with the constant and a simple model on the same rows.",
        repeats=("select_candidate", "select_clusters", "select_anomalies"),
    ),
    TestDef(
        "Model6", "model", "Model quality is sufficient on important slices", "DS",
        "Name the slices, and bring those that are surely worse up.",
        signers=("DS",), signs=(CANDIDATE,), repeats=("evaluate_slices", "judge_anomalies"),
    ),
    TestDef(
        "Model7", "model", "The model is tested for considerations of inclusion", "BA",
        "Name the sensitive columns; then selection rates by group are computed.",
        signers=("BA", "DS"), signs=(CANDIDATE,), repeats=("screen_fairness",),
    ),
    TestDef(
        "Infra1", "infra", "Training is reproducible", "MLE",
        "Train again in a clean process: the scores have to be bitwise equal.",
        repeats=("retrain_clean", "refit_anomalies", "assign_clusters"),
    ),
    TestDef(
        "Infra2", "infra", "Model specs are unit tested", "SWE",
        "Sign which tests the training code has; that it converges is computed.",
        signers=("SWE",), signs=(CANDIDATE,),
    ),
    TestDef(
        "Infra3", "infra", "The ML pipeline is integration tested", "SWE",
        "Load the package in a clean environment and score the golden rows.",
        signers=("SWE",), signs=(PACKAGE,), repeats=("load_test",),
    ),
    TestDef(
        "Infra4", "infra", "Model quality is validated before serving", "MLE",
        "Hold it against the target and against the champion before it is approved.",
        repeats=("compare_champion",),
    ),
    TestDef(
        "Infra5", "infra", "The model is debuggable", "MLE",
        "Keep the contributions of the worst errors, row by row.",
        signers=("MLE",), signs=(PACKAGE,),
        repeats=("explain_rows", "explain_model", "judge_anomalies"),
    ),
    TestDef(
        "Infra6", "infra", "Models are canaried before serving", "OPS",
        "Let a canary answer a share of the callers first, and compare its scores.",
        signers=("OPS",), signs=(PACKAGE,), repeats=("measure_traffic:canary",),
    ),
    TestDef(
        "Infra7", "infra", "Serving models can be rolled back", "OPS",
        "Let Deploy measure the rollback drill: one that is only reported counts half.",
        signers=("OPS",), signs=(PACKAGE,), days=90,
    ),
    TestDef(
        "Mon1", "monitor", "Dependency changes result in notification", "MLE",
        "Compare packages with the lock file, and both lock file and schema with the last release.",
        repeats=("retrain_clean", "refit_anomalies"),
    ),
    TestDef(
        "Mon2", "monitor", "Data invariants hold for inputs", "DS",
        "Hold live inputs against the same schema; the signature does so for each answer.",
    ),
    TestDef(
        "Mon3", "monitor", "Training and serving are not skewed", "MLE",
        "Send rows of the source along the serving path: none may score differently.",
        signers=("MLE",), signs=(PACKAGE,), days=90, repeats=("load_test",),
    ),
    TestDef(
        "Mon4", "monitor", "Models are not too stale", "MLE",
        "Measure the half-life of Model4, and answer: the age is held against it at every look.",
    ),
    TestDef(
        "Mon5", "monitor", "Models are numerically stable", "MLE",
        "Measure windows of answers without a missing score, and disturb the inputs.",
        repeats=("measure_traffic", "measure_alerts"),
    ),
    TestDef(
        "Mon6", "monitor", "Computing performance has not regressed", "OPS",
        "Keep answer time, memory and training time near those of the release before.",
        signers=("OPS",), signs=(PACKAGE,), days=90, repeats=("load_test",),
    ),
    TestDef(
        "Mon7", "monitor", "Prediction quality has not regressed", "DS",
        "Report labels; the metric on labelled answers has to stay within its limits.",
        signers=("DS",), signs=(PACKAGE,), days=90, repeats=("measure_quality", "measure_alerts"),
    ),
)  # fmt: skip
BY_ID: Final = {test.id: test for test in TESTS}


def days_of(test: TestDef, tier: int) -> int:
    """Return for how many days a statement on this test holds where nobody says less."""
    return min(test.days, DAYS_BY_TIER.get(tier, DAYS_BY_TIER[2]))
