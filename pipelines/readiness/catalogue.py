"""The 28 tests of the ML Test Score (Breck et al. 2017), as data. Pure."""

from dataclasses import dataclass
from typing import Final

SECTIONS: Final = {
    "data": "Features and data",
    "model": "Model development",
    "infra": "Infrastructure",
    "monitor": "Monitoring",
}
# Upper bounds of the score's bands, which are (low, high].
BANDS: Final = (
    (0.0, "a research project rather than a production system"),
    (1.0, "not totally untested, but serious holes are possible"),
    (2.0, "a first pass at production, more investment is needed"),
    (3.0, "reasonably tested, more tests could be automated"),
    (5.0, "strong levels of automated testing and monitoring"),
    (7.0, "exceptional levels of automated testing and monitoring"),
)


@dataclass(frozen=True)
class TestDef:
    """One test: what it asks, who signs what cannot be computed, and what earns the point."""

    id: str
    section: str
    title: str
    persona: str
    earns: str


TESTS: Final = (
    TestDef(
        "Data1",
        "data",
        "Feature expectations are captured in a schema",
        "DE",
        "Sign the data contract and hold every snapshot against it.",
    ),
    TestDef(
        "Data2",
        "data",
        "All features are beneficial",
        "MLR",
        "Drop the features whose interval covers zero, or say why they stay.",
    ),
    TestDef(
        "Data3",
        "data",
        "No feature's cost is too much",
        "DE",
        "Declare what each source costs; the time per feature is measured already.",
    ),
    TestDef(
        "Data4",
        "data",
        "Features adhere to meta-level requirements",
        "DE",
        "Declare rights and availability of every column, and use none that is not there in time.",
    ),
    TestDef(
        "Data5",
        "data",
        "The data pipeline has privacy controls",
        "DE",
        "Decide on every column that may hold personal data, and say how long it is kept.",
    ),
    TestDef(
        "Data6",
        "data",
        "New features can be added quickly",
        "MLR",
        "Change the features once: the time from there to the next evaluation is measured.",
    ),
    TestDef(
        "Data7",
        "data",
        "All input feature code is tested",
        "SWE",
        "Let every feature test pass: missing, unknown, empty, types, round trip.",
    ),
    TestDef(
        "Model1",
        "model",
        "Model specs are reviewed and versioned",
        "DS",
        "Have somebody other than its author approve the evaluation.",
    ),
    TestDef(
        "Model2",
        "model",
        "Offline and online metrics correlate",
        "BA",
        "Report the KPI after each of five releases; from there the correlation is computed.",
    ),
    TestDef(
        "Model3",
        "model",
        "All hyperparameters are tuned",
        "MLR",
        "Search the parameters with at least ten logged trials.",
    ),
    TestDef(
        "Model4",
        "model",
        "The impact of model staleness is known",
        "MLR",
        "Train on older data and score on new: a curve of score by age, with its half-life.",
    ),
    TestDef(
        "Model5",
        "model",
        "A simpler model is not better",
        "MLR",
        "Compare with the constant and a linear model on the same folds.",
    ),
    TestDef(
        "Model6",
        "model",
        "Model quality is sufficient on important slices",
        "DS",
        "Name the slices, and bring those that are surely worse up.",
    ),
    TestDef(
        "Model7",
        "model",
        "The model is tested for considerations of inclusion",
        "BA",
        "Name the sensitive columns; then selection rates by group are computed.",
    ),
    TestDef(
        "Infra1",
        "infra",
        "Training is reproducible",
        "MLE",
        "Train again in a clean process: the scores have to be bitwise equal.",
    ),
    TestDef(
        "Infra2",
        "infra",
        "Model specs are unit tested",
        "SWE",
        "Add a step that trains on a tiny sample and shows that the loss falls.",
    ),
    TestDef(
        "Infra3",
        "infra",
        "The ML pipeline is integration tested",
        "SWE",
        "Load the package in a clean environment and score the golden rows.",
    ),
    TestDef(
        "Infra4",
        "infra",
        "Model quality is validated before serving",
        "MLE",
        "Hold it against the target and against the champion before it is approved.",
    ),
    TestDef(
        "Infra5",
        "infra",
        "The model is debuggable",
        "MLE",
        "Keep the contributions of the worst errors, row by row.",
    ),
    TestDef(
        "Infra6",
        "infra",
        "Models are canaried before serving",
        "OPS",
        "Let a canary answer a share of the callers first, and compare its scores.",
    ),
    TestDef(
        "Infra7",
        "infra",
        "Serving models can be rolled back",
        "OPS",
        "Roll back once for real: a drill that is only reported counts half.",
    ),
    TestDef(
        "Mon1",
        "monitor",
        "Dependency changes result in notification",
        "MLE",
        "Compare every package that scores depend on with the lock file.",
    ),
    TestDef(
        "Mon2",
        "monitor",
        "Data invariants hold for inputs",
        "DS",
        "Hold live inputs against the same schema; the signature does so for each answer.",
    ),
    TestDef(
        "Mon3",
        "monitor",
        "Training and serving are not skewed",
        "MLE",
        "Send rows of the source along the serving path: none may score differently.",
    ),
    TestDef(
        "Mon4",
        "monitor",
        "Models are not too stale",
        "MLE",
        "Measure the half-life of Model4; the age is known already.",
    ),
    TestDef(
        "Mon5",
        "monitor",
        "Models are numerically stable",
        "MLE",
        "Measure a window of live answers without a failed or missing score.",
    ),
    TestDef(
        "Mon6",
        "monitor",
        "Computing performance has not regressed",
        "OPS",
        "Keep the answer time within the brief's limit on every release.",
    ),
    TestDef(
        "Mon7",
        "monitor",
        "Prediction quality has not regressed",
        "DS",
        "Report labels; the metric on labelled answers has to stay within its limits.",
    ),
)
BY_ID: Final = {test.id: test for test in TESTS}


def band(score: float) -> str:
    """Return what a score means."""
    return next(text for high, text in BANDS if score <= high)
