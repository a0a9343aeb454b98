"""Every address of the web process."""

from django.urls import URLPattern, URLResolver, include, path

from portal import health
from portal.console.tables import site as console

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include("portal.api.urls")),
    path("console/", console.urls),
    path("", include("portal.web.urls")),
]
handler404 = "portal.web.errors.not_found"
handler500 = "portal.web.errors.broken"
