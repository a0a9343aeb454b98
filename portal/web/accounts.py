"""Sign in and out."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.utils.module_loading import import_string


class SignIn(LoginView):
    """Ask for login name and password; a demo database lists its logins."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the demo's people, where this is a demo."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if settings.DEMO:
            context["players"] = import_string(f"{settings.DEMO_CAST}.PLAYERS")
            context["password"] = import_string(f"{settings.DEMO_CAST}.PASSWORD")
        return context


class SignOut(LogoutView):
    """End the session."""
