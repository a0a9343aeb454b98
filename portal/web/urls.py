"""Addresses of the pages, by noun."""

from django.urls import URLPattern, URLResolver, path, re_path

from portal.web import (
    accounts,
    drafts,
    events,
    gates,
    hand_offs,
    inbox,
    items,
    ledger,
    runs,
    seats,
    starts,
    use_cases,
)

app_name = "web"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", inbox.inbox, name="inbox"),
    path("inbox/count", inbox.count, name="inbox_count"),
    path("inbox/hand-offs/<int:pk>/accept", inbox.accept, name="inbox_accept"),
    path("inbox/items/<int:pk>/claim", inbox.claim, name="inbox_claim"),
    path("inbox/stages/<int:pk>/take", inbox.take, name="inbox_take"),
    path("use-cases/", use_cases.use_cases, name="use_cases"),
    path("use-cases/new/", drafts.new_use_case, name="new_use_case"),
    path("use-cases/<slug:key>/", use_cases.use_case, name="use_case"),
    path("use-cases/<slug:key>/columns/", drafts.columns, name="draft_columns"),
    path("use-cases/<slug:key>/files", drafts.files, name="draft_files"),
    path("use-cases/<slug:key>/start/", starts.start_run, name="start_run"),
    path("use-cases/<slug:key>/seats/", seats.seats, name="seats"),
    path("seats/<int:pk>/end", seats.end, name="end_seat"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/start", runs.start, name="run_start"),
    path("runs/<int:pk>/resume", runs.resume, name="run_resume"),
    re_path(r"^runs/(?P<pk>\d{1,18})/(?P<verb>pause|cancel|give-up)$", runs.stop, name="run_stop"),
    path("stages/<int:pk>/take", runs.take, name="take"),
    path("stages/<int:pk>/rerun", runs.rerun, name="rerun"),
    path("stages/<int:pk>/send-back", runs.send_back, name="send_back"),
    path("steps/<int:pk>/retry", runs.retry, name="retry"),
    path("items/<int:pk>/", items.item, name="item"),
    path("items/<int:pk>/draft", items.draft, name="draft"),
    path("items/<int:pk>/claim", items.claim, name="claim"),
    path("items/<int:pk>/unclaim", items.unclaim, name="unclaim"),
    path("gates/<int:pk>/", gates.gate, name="gate"),
    path("gates/<int:pk>/reopen", gates.reopen, name="gate_reopen"),
    path("checks/<int:pk>/waive", gates.waive, name="waive"),
    path("hand-offs/<int:pk>/", hand_offs.hand_off, name="hand_off"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/export", ledger.export, name="ledger_export"),
    path("events/", events.events, name="events"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign_out"),
]
