"""Sign in and out."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.utils.module_loading import import_string


class SignIn(LoginView):
    """Ask for login name and password; a demo or a simulation lists its logins."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the demo's people, where this is a demo."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if settings.DEMO or settings.SIMULATION:
            cast = settings.SIMULATED_CAST if settings.SIMULATION else settings.DEMO_CAST
            context["players"] = import_string(f"{cast}.PLAYERS")
            context["password"] = import_string(f"{cast}.PASSWORD")
        return context


class SignOut(LogoutView):
    """End the session."""
