"""Addresses of the pages, by noun."""

from django.urls import URLPattern, URLResolver, path

from portal.web import accounts, events, inbox

app_name = "web"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", inbox.inbox, name="inbox"),
    path("inbox/count", inbox.count, name="inbox_count"),
    path("inbox/hand-offs/<int:pk>/accept", inbox.accept, name="inbox_accept"),
    path("inbox/items/<int:pk>/claim", inbox.claim, name="inbox_claim"),
    path("inbox/stages/<int:pk>/take", inbox.take, name="inbox_take"),
    path("events/", events.events, name="events"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign_out"),
]
