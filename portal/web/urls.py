"""Addresses of the pages, by noun."""

from django.urls import URLPattern, URLResolver, path

from portal.web import accounts

app_name = "web"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign_out"),
]
