"""Every address of the API, version 1."""

from django.urls import URLPattern, path, re_path, register_converter

from portal.api import (
    alerts,
    artefacts,
    blueprints,
    delegations,
    docs,
    findings,
    gates,
    hand_offs,
    inbox,
    items,
    ledger,
    models,
    people,
    readiness,
    runs,
    stages,
    use_cases,
)


class Digest:
    """A SHA-256 in hex."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return it as it is."""
        return value


register_converter(Digest, "digest")

app_name = "api"
urlpatterns: list[URLPattern] = [
    path("me", people.Me.as_view()),
    path("personas", people.Personas.as_view()),
    path("users", people.Users.as_view()),
    path("users/<int:pk>/activate", people.UserActivate.as_view()),
    path("users/<int:pk>/deactivate", people.UserDeactivate.as_view()),
    path("tokens", people.Tokens.as_view()),
    path("tokens/<int:pk>", people.TokenDetail.as_view()),
    path("use-cases", use_cases.UseCases.as_view()),
    path("use-cases/<slug:key>", use_cases.UseCase.as_view()),
    path("use-cases/<slug:key>/seats", use_cases.Seats.as_view()),
    path("use-cases/<slug:key>/seats/<int:pk>", use_cases.Seat.as_view()),
    path("use-cases/<slug:key>/runs", use_cases.UseCaseRuns.as_view()),
    path("use-cases/<slug:key>/readiness", readiness.UseCaseReadiness.as_view()),
    path("use-cases/<slug:key>/readiness", use_cases.UseCaseReadiness.as_view()),
    path("use-cases/<slug:key>/retire", use_cases.UseCaseRetire.as_view()),
    path("blueprints", blueprints.Blueprints.as_view()),
    path("blueprints/lint", blueprints.BlueprintLint.as_view()),
    path("blueprints/<slug:key>", blueprints.Blueprint.as_view()),
    path("blueprints/<slug:key>/versions/<int:number>", blueprints.BlueprintVersion.as_view()),
    path("artefacts", artefacts.Artefacts.as_view()),
    path("artefacts/<digest:digest>", artefacts.Artefact.as_view()),
    path("artefacts/<digest:digest>/content", artefacts.ArtefactContent.as_view()),
    path("uploads/inspect", artefacts.UploadInspect.as_view()),
    path("runs", runs.Runs.as_view()),
    path("runs/<int:pk>", runs.Run.as_view()),
    path("runs/<int:pk>/start", runs.RunStart.as_view()),
    path("runs/<int:pk>/pause", runs.RunPause.as_view()),
    path("runs/<int:pk>/resume", runs.RunResume.as_view()),
    path("runs/<int:pk>/cancel", runs.RunCancel.as_view()),
    path("runs/<int:pk>/give-up", runs.RunGiveUp.as_view()),
    path("runs/<int:pk>/baton", runs.RunBaton.as_view()),
    path("runs/<int:pk>/stages", runs.RunStages.as_view()),
    path("runs/<int:pk>/steps", runs.RunSteps.as_view()),
    path("runs/<int:pk>/attempts", runs.RunAttempts.as_view()),
    path("runs/<int:pk>/items", runs.RunItems.as_view()),
    path("runs/<int:pk>/gates", runs.RunGates.as_view()),
    path("runs/<int:pk>/checks", runs.RunChecks.as_view()),
    path("runs/<int:pk>/hand-offs", runs.RunHandOffs.as_view()),
    path("runs/<int:pk>/events", runs.RunEvents.as_view()),
    path("stages/<int:pk>", stages.Stage.as_view()),
    path("stages/<int:pk>/take", stages.StageTake.as_view()),
    path("stages/<int:pk>/assign", stages.StageAssign.as_view()),
    path("stages/<int:pk>/send-back", stages.StageSendBack.as_view()),
    path("stages/<int:pk>/rerun", stages.StageRerun.as_view()),
    path("steps/<int:pk>", stages.Step.as_view()),
    path("steps/<int:pk>/attempts", stages.StepAttempts.as_view()),
    path("steps/<int:pk>/retry", stages.StepRetry.as_view()),
    path("attempts/<int:pk>", stages.Attempt.as_view()),
    path("items", items.Items.as_view()),
    path("items/<int:pk>", items.Item.as_view()),
    path("items/<int:pk>/claim", items.ItemClaim.as_view()),
    path("items/<int:pk>/unclaim", items.ItemUnclaim.as_view()),
    path("items/<int:pk>/draft", items.ItemDraft.as_view()),
    path("items/<int:pk>/complete", items.ItemComplete.as_view()),
    path("gates", gates.Gates.as_view()),
    path("gates/<int:pk>", gates.Gate.as_view()),
    path("gates/<int:pk>/decisions", gates.Decisions.as_view()),
    path("gates/<int:pk>/reopen", gates.GateReopen.as_view()),
    path("gates/<int:pk>/confirm", gates.GateConfirm.as_view()),
    path("gates/<int:pk>/override", gates.GateOverride.as_view()),
    path("findings", findings.Findings.as_view()),
    path("findings/<int:pk>", findings.Finding.as_view()),
    path("findings/<int:pk>/resolve", findings.FindingResolve.as_view()),
    path("findings/<int:pk>/extend", findings.FindingExtend.as_view()),
    path("delegations", delegations.Delegations.as_view()),
    path("delegations/<int:pk>", delegations.Delegation.as_view()),
    path("delegations/<int:pk>/end", delegations.DelegationEnd.as_view()),
    path("checks/<int:pk>/waive", gates.CheckWaive.as_view()),
    path("hand-offs", hand_offs.HandOffs.as_view()),
    path("hand-offs/<int:pk>", hand_offs.HandOff.as_view()),
    path("hand-offs/<int:pk>/offer", hand_offs.HandOffOffer.as_view()),
    path("hand-offs/<int:pk>/accept", hand_offs.HandOffAccept.as_view()),
    path("hand-offs/<int:pk>/return", hand_offs.HandOffReturn.as_view()),
    path("hand-offs/<int:pk>/withdraw", hand_offs.HandOffWithdraw.as_view()),
    path("hand-offs/<int:pk>/rerun-contract", hand_offs.HandOffRerunContract.as_view()),
    path("inbox", inbox.Inbox.as_view()),
    path("models", models.Models.as_view()),
    path("models/<slug:name>", models.Model.as_view()),
    path("models/<slug:name>/versions", models.ModelVersions.as_view()),
    path("models/<slug:name>/deployments", models.Deployments.as_view()),
    path("models/<slug:name>/aliases", models.Aliases.as_view()),
    path("models/<slug:name>/rollback", models.Rollback.as_view()),
    path("models/<slug:name>/labels", models.Labels.as_view()),
    path("alerts", alerts.Alerts.as_view()),
    path("alerts/<int:pk>", alerts.Alert.as_view()),
    path("alerts/<int:pk>/acknowledge", alerts.AlertAcknowledge.as_view()),
    path("alerts/<int:pk>/resolve", alerts.AlertResolve.as_view()),
    path("ledger", ledger.Ledger.as_view()),
    path("ledger/verify", ledger.LedgerVerify.as_view()),
    path("schema/", docs.SchemaView.as_view(), name="schema"),
    path("docs/", docs.docs, name="docs"),
    re_path(r"^.*$", docs.Unknown.as_view()),
]
