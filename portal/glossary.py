"""The words that pages use, explained where they stand ({% term %}) and on the help page.

`of` names the personas whose pages they meet first; none where everybody meets them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVERYBODY: Final = ()
JUDGES: Final = ("DS", "MLR", "MLE")
KEEPERS: Final = ("MLE", "SWE", "OPS")


@dataclass(frozen=True)
class Term:
    """A word and what it means, in a sentence or two."""

    word: str | Promise
    meaning: str | Promise
    of: tuple[str, ...] = EVERYBODY


WORK: Final[Mapping[str, Term]] = {
    "use case": Term(
        _("use case"),
        _("The question of the business that is worked on, with what an answer is worth."),
    ),
    "persona": Term(
        _("persona"),
        _("One of the seven kinds of people who carry a use case, known by a short code."),
    ),
    "seat": Term(_("seat"), _("A person who acts as one persona on one use case.")),
    "blueprint": Term(
        _("blueprint"),
        _("The plan of a use case: stages, gates, hand-offs. A published one never changes."),
    ),
    "run": Term(_("run"), _("One pass of a use case through its blueprint, numbered: Run 3.")),
    "watch": Term(
        _("watch"), _("A run that looks at a model which answers: drift, quality, the KPI.")
    ),
    "stage": Term(_("stage"), _("A part of a run that one persona owns.")),
    "round": Term(
        _("round"), _("How often a stage was worked on in this run: sent back, it begins anew.")
    ),
    "work item": Term(_("work item"), _("What a person has to fill in or decide in a stage.")),
    "step": Term(
        _("step"), _("What a worker computes in a stage. The same inputs give the same result."),
        ("DE", "DS", "MLR", "MLE", "SWE", "OPS"),
    ),
    "attempt": Term(
        _("attempt"), _("One try of a step. A failed one stays on record."),
        ("DE", "MLR", "MLE", "SWE", "OPS"),
    ),
    "check": Term(
        _("check"),
        _("A computed result against a threshold. It passes, fails, or has not enough data."),
    ),
    "gate": Term(
        _("gate"),
        _("The review of a stage: people decide on evidence that is frozen while they look at it."),
    ),
    "evidence": Term(
        _("evidence"),
        _("What was computed and what people signed. A decision is bound to exactly this."),
    ),
    "decision": Term(
        _("decision"),
        _("One person's verdict in a gate, with its reason. It cannot be altered afterwards."),
    ),
    "four eyes": Term(
        _("four eyes"), _("Who made what is reviewed does not decide on it: somebody else does.")
    ),
    "finding": Term(
        _("finding"),
        _("A condition put on an approval, with a due date. Overdue, the approval lapses."),
    ),
    "waiver": Term(
        _("waiver"), _("A failed check that somebody with the right lets pass, with a reason.")
    ),
    "hand-off": Term(
        _("hand-off"),
        _("A stage's result on its way to the next persona, who accepts or returns it."),
    ),
    "contract": Term(
        _("contract"),
        _("The receiver's tests on a hand-off. They must pass before it can be offered."),
    ),
    "send-back": Term(
        _("send-back"),
        _("An earlier stage is worked on again, for a reason that is counted. It opens a round."),
    ),
    "claim": Term(_("claim"), _("To take an open piece of work, so that nobody does it twice.")),
    "on hold": Term(
        _("on hold"), _("Set aside until a date or an answer. Its deadline rests meanwhile.")
    ),
    "deputy": Term(_("deputy"), _("Who acts for a person that is away, as one persona.")),
    "due": Term(
        _("due"),
        _("When it should be done, in the working time of the persona. No deadline approves."),
    ),
    "readiness": Term(
        _("readiness"),
        _("How much of what a model needs to be trusted is tested: 28 tests in four sections."),
    ),
    "test score": Term(
        _("Test Score"),
        _("The ML Test Score: the lowest of four sections counts. Automatic tests count whole, "
          "tests done by hand half."),
    ),
    "worry": Term(
        _("worry"), _("One of 26 things that go wrong with models, with what detects it.")
    ),
    "attestation": Term(
        _("attestation"),
        _("A signed statement on what cannot be computed. It ends when its subject changes."),
    ),
    "digest": Term(
        _("digest"),
        _("A short fingerprint of some content: the same digest, the same content."),
    ),
    "ledger": Term(
        _("ledger"),
        _("Who did what, and when. Each row carries a fingerprint of the one before."),
    ),
    "lineage": Term(
        _("lineage"), _("What was made from what, from the raw rows to the answer."),
        ("DE", "DS", "MLR", "MLE"),
    ),
}  # fmt: skip

MODELS: Final[Mapping[str, Term]] = {
    "champion": Term(
        _("champion"), _("The model version that answers now, and that a new one has to beat.")
    ),
    "challenger": Term(
        _("challenger"), _("The new model version that is compared with the champion."), JUDGES
    ),
    "baseline": Term(
        _("baseline"), _("A simple rule. A model that does not beat it is not worth its running.")
    ),
    "shadow": Term(
        _("shadow"), _("A version answers beside the live one, and nobody sees its answers."),
        KEEPERS,
    ),
    "canary": Term(
        _("canary"), _("A version answers for a small share first, and is taken back if it errs."),
        KEEPERS,
    ),
    "alias": Term(
        _("alias"), _("A name such as “champion” that points to a version, with its history."),
        KEEPERS,
    ),
    "rollback": Term(_("rollback"), _("The version that answered before answers again."), KEEPERS),
    "holdout": Term(
        _("holdout"), _("Rows kept apart until the end. A figure on them is not learnt by heart."),
        JUDGES,
    ),
    "leakage": Term(
        _("leakage"),
        _("A column knows the answer although nobody will know it when the model is asked."),
        ("DE", "DS", "MLR"),
    ),
    "label": Term(
        _("outcome"), _("What really happened. It often comes days after the model answered.")
    ),
    "slice": Term(
        _("slice"),
        _("A part of the rows, such as one region. Good on average may be bad on a slice."),
    ),
    "skew": Term(
        _("skew"), _("A feature is computed otherwise when the model answers than in training."),
        ("DE", "MLE", "SWE"),
    ),
}  # fmt: skip

FIGURES: Final[Mapping[str, Term]] = {
    "interval": Term(
        _("interval"),
        _("Where the true value probably lies, given how few rows there were. 95 of 100 such "
          "intervals hold it."),
    ),
    "threshold": Term(
        _("threshold"),
        _("The limit of a check. Beside it stands where it comes from: a law, a convention, "
          "a measurement, or our own choice."),
    ),
    "not enough data": Term(
        _("not enough data"),
        _("There were too few rows to say yes or no. That is no pass and no failure."),
    ),
    "precision": Term(
        _("precision"), _("Of 100 that the model flags, how many are right.")
    ),
    "recall": Term(
        _("recall"), _("Of 100 that should be flagged, how many the model finds.")
    ),
    "roc auc": Term(
        _("ROC AUC"),
        _("How often the model puts a case that happens above one that does not. 0.5 is guessing, "
          "1 is always."),
    ),
    "pr auc": Term(
        _("PR AUC"),
        _("Precision, averaged over all that can be found. Compare it with the share of positive "
          "cases: that is guessing."),
        JUDGES,
    ),
    "f1": Term(
        _("F1"), _("Precision and recall in one figure, near the smaller of the two."), JUDGES
    ),
    "brier": Term(
        _("Brier score"),
        _("How far the probabilities are from what happened, squared. 0 is perfect."), JUDGES,
    ),
    "log loss": Term(
        _("log loss"),
        _("How surprised the model is by what happened. Sure and wrong costs most; 0 is perfect."),
        JUDGES,
    ),
    "calibration": Term(
        _("calibration"),
        _("Of cases with 70 %, do 70 of 100 happen? Only then may one count with probabilities."),
    ),
    "ece": Term(
        _("ECE"),
        _("Expected calibration error: how far, on average, said probabilities are from what "
          "happened. 0.03 is three points."),
        JUDGES,
    ),
    "psi": Term(
        _("PSI"),
        _("Population stability index: how much a column's distribution has moved since training. "
          "Below 0.1 is usually quiet, above 0.25 is usually a shift."),
        ("DE", "DS", "MLE"),
    ),
    "drift": Term(
        _("drift"), _("What comes in looks otherwise than what the model was trained on.")
    ),
    "confusion": Term(
        _("confusion matrix"), _("What was true against what was said, counted."), JUDGES
    ),
    "rmse": Term(
        _("RMSE"), _("A typical error of a number, large ones weighed more; in the target's unit."),
        JUDGES,
    ),
    "mae": Term(_("MAE"), _("How far off a number is on average, in the target's unit."), JUDGES),
    "mase": Term(
        _("MASE"),
        _("Error of a forecast against repeating the last season. Below 1 is better than that."),
        JUDGES,
    ),
    "p95": Term(
        _("p95"), _("95 of 100 are below this value, 5 are above."), ("SWE", "OPS", "MLE")
    ),
    "p50 p85": Term(
        _("p50, p85"),
        _("The day by which it is done in 50, or 85, of 100 simulated futures."),
    ),
}  # fmt: skip

FLOW: Final[Mapping[str, Term]] = {
    "waiting": Term(_("waiting"), _("Nobody works on it: drawn hatched. Work is drawn solid.")),
    "cost of waiting": Term(
        _("cost of waiting"),
        _("The value of an answer per day, times the days it waits. From the brief's figures."),
    ),
    "wip": Term(_("work in progress"), _("How many are under way at once in a stage.")),
    "throughput": Term(_("throughput"), _("How many are finished in a week.")),
    "cycle time": Term(_("cycle time"), _("From the first work on it until it is done.")),
    "flow efficiency": Term(
        _("flow efficiency"), _("The share of the time in which somebody or something worked.")
    ),
    "first-pass yield": Term(
        _("first-pass yield"), _("The share of stages that passed without being sent back.")
    ),
    "ageing": Term(
        _("ageing"), _("How old what is under way is, beside how long such work usually takes.")
    ),
    "forecast": Term(
        _("forecast"),
        _("Dates from thousands of simulated futures, drawn from what similar work took."),
    ),
    "envelope": Term(
        _("envelope"), _("Limits, agreed once, within which a retrained model goes out.")
    ),
}

GROUPS: Final = (
    ("work", _("Work and people"), WORK),
    ("models", _("Models"), MODELS),
    ("figures", _("Figures"), FIGURES),
    ("flow", _("Flow and waiting"), FLOW),
)
TERMS: Final[Mapping[str, Term]] = {**WORK, **MODELS, **FIGURES, **FLOW}
