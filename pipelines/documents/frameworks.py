"""What three frameworks ask of a model's documents, and what answers each row. Data, pure.

References name public texts (catalogue 4.2); every sentence is our own. Not legal advice. A row is
answered by parts: what a step computes (`Fact`, `Checked`, `Made`), what a person signs (`Signed`,
`Decided`), and what no pack can hold (`Outside`), which is then always missing, with who has it.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True)
class Fact:
    """A number or text in the facts of the last step that says all `keys`."""

    label: str
    keys: tuple[str, ...]
    path: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """A check of the run, by name."""

    name: str


@dataclass(frozen=True)
class Made:
    """An artefact of the present rounds, by the name of the output."""

    name: str
    label: str


@dataclass(frozen=True)
class Known:
    """Something the records hold by themselves: see `views.KNOWN`."""

    key: str
    label: str


@dataclass(frozen=True)
class Signed:
    """A statement in a completed work item, by the key of its field."""

    key: str
    label: str
    persona: str


@dataclass(frozen=True)
class Decided:
    """An approval by somebody who is no author of what was approved."""

    label: str = "Approved by somebody else than its author"


@dataclass(frozen=True)
class Outside:
    """What is asked for and cannot be on record here."""

    label: str
    persona: str


Part: TypeAlias = Fact | Checked | Made | Known | Signed | Decided | Outside


@dataclass(frozen=True)
class Row:
    """One thing that a framework asks."""

    ref: str
    asks: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Framework:
    """A view of the pack by somebody else's list."""

    key: str
    title: str
    about: str
    rows: tuple[Row, ...]


# Statements and checks that more than one row asks for.
_QUESTION: Final = Signed("question", "The question", "BA")
_MEANT: Final = Signed("intended_use", "Intended use", "BA")
_NOT_MEANT: Final = Signed("out_of_scope", "Where not to use it", "BA")
_ETHICS: Final = Signed("ethics", "Who could be harmed", "BA and DS")
_CAVEATS: Final = Signed("caveats", "Known limits", "MLR")
_COSTS: Final = Signed("costs", "Cost of each error", "BA")
_ON_CALL: Final = Signed("on_call", "Who is on call", "OPS")
_ROUTE: Final = Signed("alert_route", "Who is told of an alert", "OPS")
_OVERRIDE: Final = Signed("override", "How a person overrides an answer", "MLE")
_FALLBACK: Final = Signed("fallback", "What happens without an answer", "BA")
_DRIFT: Final = Checked("drift_quiet")
_QUALITY: Final = Checked("quality_holds")
_SLICES: Final = Checked("slices_hold")
_TARGET: Final = Checked("target_met")

ANNEX_IV: Final = Framework(
    "eu-ai-act-annex-iv",
    "EU AI Act, Annex IV",
    "The nine points of the technical documentation that Annex IV of Regulation (EU) 2024/1689 "
    "lists for high-risk systems. Article 18 asks to keep it for ten years.",
    (
        Row("1", "General description of the system", (
            _QUESTION, _MEANT, Known("versions", "Versions"), Known("interface", "Called by"),
            Signed("entry_point", "Entry point for clients", "SWE"),
            Outside("Name and address of the provider; instructions for the deployer", "BA"),
        )),
        Row("2(a)", "Methods and steps of development, pre-trained parts", (
            Known("blueprint", "Plan"), Fact("Family", ("chosen_family",), ("chosen_family",)),
            Checked("search_logged"), Checked("environment_locked"),
        )),
        Row("2(b)", "Design, assumptions, what is optimised, trade-offs", (
            Fact("Chosen by", ("chosen_family", "rule"), ("rule",)), Checked("three_families"),
            Checked("beats_baseline"), Signed("reason", "Why these features", "MLR"), _COSTS,
        )),
        Row("2(c)", "Architecture, and what it takes to compute and to run", (
            Known("code", "Code versions"),
            Fact("Memory while serving, MiB", ("loads", "memory_mib"), ("memory_mib",)),
            Checked("size_within_limit"), Checked("latency_within_slo"),
        )),
        Row("2(d)", "Data: origin, scope, characteristics, labelling, cleaning", (
            Fact("Rows", ("column_names",), ("rows",)), Checked("schema_holds"),
            Made("contract", "Data contract"), Signed("origin", "Origin", "DE"),
            Signed("gaps", "Known gaps", "DE"),
        )),
        Row("2(e)", "Human oversight", (_OVERRIDE, Signed("acts", "Who acts on the answer", "BA"))),
        Row("2(f)", "Changes determined beforehand", (
            Outside("Which changes need no new conformity assessment", "BA and MLE"),
        )),
        Row("2(g)", "Validation and testing: data, metrics, dated and signed reports", (
            Fact("Rows judged on", ("metrics", "positives"), ("rows",)), _TARGET,
            Checked("calibrated"), Checked("leakage_clean"), Decided(),
            Signed("split_reason", "Why this split", "DS"),
        )),
        Row("2(h)", "Cybersecurity", (
            Checked("loads_in_clean_environment"), Checked("bad_input_refused"),
            Outside("Measures against poisoning, evasion and theft of the model", "OPS"),
        )),
        Row("3", "Monitoring, functioning, control; accuracy also by group", (
            _TARGET, _SLICES, _DRIFT, _QUALITY, _NOT_MEANT,
            Signed("factors", "Who may be treated otherwise", "DS"),
        )),
        Row("4", "Why the metrics fit", (
            Checked("kpi_mapped"), Signed("metric", "Metric that stands for the KPI", "BA"),
            Signed("kpi_name", "KPI", "BA"),
        )),
        Row("5", "Risk management", (
            Fact("Risk tier", ("tier",), ("tier",)), _ETHICS, _CAVEATS,
            Signed("kill_criterion", "When to stop", "BA"),
            Outside("The risk management system of Article 9", "BA"),
        )),
        Row("6", "Changes over its life", (
            Known("rounds", "Rounds of the run"), Known("versions", "Versions"),
            Signed("changes", "What changed against the champion", "MLE"),
        )),
        Row("7", "Harmonised standards applied", (Outside("List of standards applied", "BA"),)),
        Row("8", "EU declaration of conformity", (Outside("Copy of the declaration", "BA"),)),
        Row("9", "Plan for monitoring after the market", (
            _DRIFT, Checked("alert_routes_set"), Known("watches", "Watch runs"), _ROUTE,
        )),
    ),
)  # fmt: skip

NIST: Final = Framework(
    "nist-ai-rmf",
    "NIST AI RMF 1.0",
    "The subcategories of NIST AI 100-1 that a single use case can answer. GOVERN is about the "
    "organisation and left out.",
    (
        Row("MAP 1.1", "Purpose, context, users, where it is put to work", (
            _QUESTION, _MEANT, Signed("acts", "Who acts on the answer", "BA"),
        )),
        Row("MAP 1.4", "Business value", (
            Fact("Value per day", ("value_per_day",), ("value_per_day",)),
            Checked("value_positive"), Signed("kpi_name", "KPI", "BA"),
        )),
        Row("MAP 1.5", "Risk tolerance", (
            Fact("Risk tier", ("tier",), ("tier",)),
            Signed("kill_criterion", "When to stop", "BA"),
        )),
        Row("MAP 2.2", "Limits of knowledge, and how people oversee it", (
            Fact("Groups too small to judge", ("slices", "worse"), ("too_small",)), _CAVEATS,
            _NOT_MEANT, _OVERRIDE,
        )),
        Row("MAP 3.2", "What errors cost", (
            _COSTS, Fact("Worth per 1,000 cases", ("confusion",), ("value", "per_1000")),
        )),
        Row("MAP 3.5", "Human oversight defined", (_OVERRIDE, _FALLBACK)),
        Row("MEASURE 1.3", "Assessed by people who did not build it", (Decided(),)),
        Row("MEASURE 2.1", "Test sets, metrics and tools on record", (
            Made("holdout", "Rows to decide on"), Made("evaluation", "Evaluation"),
            Known("code", "Code versions"), Checked("environment_locked"),
        )),
        Row("MEASURE 2.3", "Measured in conditions like those of use", (
            Checked("shadow_agrees"), Checked("canary_agrees"), Checked("latency_within_slo"),
        )),
        Row("MEASURE 2.4", "Monitored in production", (
            _DRIFT, _QUALITY, Known("watches", "Watch runs"),
        )),
        Row("MEASURE 2.5", "Valid and reliable; limits of generalising", (
            _TARGET, Checked("calibrated"), Checked("reproducible"), _CAVEATS,
        )),
        Row("MEASURE 2.9", "Explained", (
            Fact("Relies most on", ("importance", "top_column"), ("top_column",)),
            Made("explanation", "Explanation"), Signed("understood", "Understood", "BA"),
        )),
        Row("MEASURE 2.10", "Privacy", (Checked("pii_resolved"), Signed("rights", "Rights", "DE"))),
        Row("MEASURE 2.11", "Fairness and bias", (
            _SLICES, Signed("factors", "Who may be treated otherwise", "DS"), _ETHICS,
        )),
        Row("MEASURE 3.3", "Feedback and appeal of those concerned", (
            Known("labels", "Outcomes told back"), _OVERRIDE,
            Outside("How those concerned appeal", "BA"),
        )),
        Row("MANAGE 1.1", "Go or no go", (
            Checked("go_no_go"), Signed("decision", "Decision", "BA"), Decided(),
        )),
        Row("MANAGE 1.3", "Response to high risks", (
            Known("alerts", "Alerts"), Signed("response", "Response to what moved", "DS"),
        )),
        Row("MANAGE 1.4", "Residual risk", (_CAVEATS, Known("findings", "Open conditions"))),
        Row("MANAGE 2.4", "Supersede, disengage, switch off", (
            Checked("rollback_drilled"), Checked("rollback_ready"),
            Signed("rollback_command", "How to roll back", "OPS"),
            _FALLBACK,
        )),
        Row("MANAGE 4.1", "After it is live: appeal, override, incidents, change, retirement", (
            _ON_CALL, _ROUTE, _OVERRIDE, Known("ledger", "Ledger of every change"),
            Outside("Plan for retirement", "BA and OPS"),
        )),
    ),
)  # fmt: skip

SR_26_2: Final = Framework(
    "sr-26-2",
    "SR 26-2, model risk management",
    "The parts of the Federal Reserve's letter SR 26-2 that concern one model.",
    (
        Row("Inventory", "The model is on an inventory with owner, use and state", (
            Known("versions", "Versions"), Known("owners", "Owners of the stages"),
            _QUESTION,
        )),
        Row("Materiality", "Exposure and purpose give the tier", (
            Fact("Exposure per day", ("exposure_per_day",), ("exposure_per_day",)),
            Fact("Risk tier", ("tier",), ("tier",)), Signed("purpose", "Purpose", "BA"),
            Signed("volume", "Cases per day", "BA"),
        )),
        Row("Development", "Sound design, data and testing by who builds it", (
            Checked("schema_holds"), Checked("leakage_clean"), Checked("feature_tests"),
            Checked("three_families"), Checked("beats_baseline"),
            Signed("reason", "Why these features", "MLR"),
            Signed("caveats", "Conceptual soundness: known limits", "MLR"),
        )),
        Row("Validation", "Effective challenge by somebody who did not build it", (
            _TARGET, Checked("calibrated"), _SLICES, Checked("reproducible"), Decided(),
        )),
        Row("Monitoring", "Ongoing monitoring and analysis of outcomes", (
            _DRIFT, _QUALITY, Checked("kpi_holds"), Known("labels", "Outcomes told back"),
        )),
        Row("Change", "What triggers a new validation, in place of a calendar", (
            Known("alerts", "Alerts"), Checked("champion_beaten"),
            Signed("kill_criterion", "When to stop", "BA"),
        )),
        Row("Governance", "Roles, records, findings followed up", (
            Known("owners", "Owners of the stages"), Known("findings", "Open conditions"),
            Known("ledger", "Ledger of every change"), _ON_CALL,
            Outside("Policy of the board, internal audit", "BA"),
        )),
    ),
)  # fmt: skip

FRAMEWORKS: Final = (ANNEX_IV, NIST, SR_26_2)
