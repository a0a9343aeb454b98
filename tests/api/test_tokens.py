"""Bearer tokens: shown once, kept as a hash, bound to scopes, time and person."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from personas.actions import create_user, issue_token
from personas.ledger import ENGINE
from personas.models import BatonNow, Token, User
from tests import factories
from tests.api.conftest import Client, Play
from tests.cast import Cast, acting


def bearer(user: User, *scopes: str) -> APIClient:
    _, secret = issue_token(
        actor=acting(user), user=user, name="test", scopes=scopes, lifetime=timedelta(days=1)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def issue(client: APIClient, **changes: Any) -> Any:
    wanted = {"name": "ci", "scopes": ["read"], "days": 30, **changes}
    return client.post("/api/v1/tokens", {k: v for k, v in wanted.items() if v is not None})


def test_it_shows_the_secret_once_and_keeps_a_hash(cast: Cast, api: Client) -> None:
    answer = issue(api(cast.sofia))
    assert answer.status_code == 201
    secret = answer.json()["secret"]
    token = Token.objects.get(pk=answer.json()["id"])
    assert token.digest == Token.hash(secret)
    assert secret not in str(api(cast.sofia).get("/api/v1/tokens").content)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    me = client.get("/api/v1/me").json()
    assert (me["username"], me["scopes"]) == ("sofia", ["read"])


def test_a_replay_issues_no_second_token(cast: Cast, api: Client) -> None:
    client = api(cast.sofia)
    client.credentials(HTTP_IDEMPOTENCY_KEY="once")
    first, again = issue(client), issue(client)
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["secret"] != "", again.json()["secret"]) == (True, "")
    assert again.headers["Idempotent-Replay"] == "true"


def test_it_does_only_what_its_scopes_say(cast: Cast, play: Play) -> None:
    address = f"/api/v1/gates/{play.gate.pk}/decisions"
    approval = {"verdict": "approve", "seen": play.gate.subject_digest}
    pause = (f"/api/v1/runs/{play.run.pk}/pause", {"reason": "lunch"})
    for scopes, wanted in (
        (("read",), {"GET": 200, "decide": 403, "write": 403}),
        (("write",), {"GET": 403, "decide": 403, "write": 403}),
        (("decide",), {"GET": 403, "decide": 200, "write": 403}),
    ):
        client = bearer(cast.sofia, *scopes)
        found = {
            "GET": client.get(address).status_code,
            "decide": client.post(address, approval).status_code,
            "write": client.post(*pause).status_code,
        }
        assert (scopes, found) == (scopes, wanted)
    # sofia may not pause at all; priya may, with the right scope.
    refused = bearer(cast.priya, "read").post(*pause)
    assert refused.json()["code"] == "scope.write"
    assert bearer(cast.priya, "write").post(*pause).status_code == 200


@pytest.mark.parametrize("why", ["revoked", "expired", "inactive", "unknown"])
def test_it_is_refused_when(cast: Cast, why: str) -> None:
    client = bearer(cast.lena, "read")
    assert client.get("/api/v1/me").status_code == 200
    if why == "revoked":
        Token.objects.update(revoked_at=BatonNow())
    elif why == "expired":
        Token.objects.update(expires_at=BatonNow())
    elif why == "inactive":
        User.objects.filter(pk=cast.lena.pk).update(is_active=False)
    else:
        client.credentials(HTTP_AUTHORIZATION="Bearer baton_nonsense")
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="baton"',
    )


def test_it_passes_on_no_more_than_it_has(cast: Cast) -> None:
    client = bearer(cast.sofia, "read", "write")
    assert issue(client, scopes=["decide"], days=1).json()["code"] == "token.scopes"
    assert issue(client, scopes=["read"], days=300).json()["code"] == "token.lifetime"


def test_nobody_issues_a_token_in_another_persons_name(cast: Cast, api: Client) -> None:
    """It would decide in their name: four eyes would be two."""
    refused = issue(api(cast.priya), user="sofia", scopes=["decide"])
    assert (refused.status_code, refused.json()["code"]) == (403, "token.person")
    answer = create_user(actor=ENGINE, username="feeder", name="Feeder")
    User.objects.filter(pk=answer.data["user"]).update(is_service=True)
    assert issue(api(cast.priya), user="feeder").status_code == 201
    assert issue(api(cast.sofia), user="feeder").status_code == 403
    assert issue(api(cast.priya), user="nobody").json()["fields"].keys() == {"user"}


def test_revoking_is_mine_or_a_managers(cast: Cast, api: Client) -> None:
    token = issue(api(cast.sofia)).json()["id"]
    assert api(cast.lena).delete(f"/api/v1/tokens/{token}").status_code == 404
    assert api(cast.priya).delete(f"/api/v1/tokens/{token}").json()["revoked"] is True
    again = api(cast.sofia).delete(f"/api/v1/tokens/{token}")
    assert (again.status_code, again.json()["code"]) == (409, "already_revoked")


def test_deactivating_a_person_ends_their_tokens(cast: Cast, api: Client) -> None:
    client = bearer(cast.lena, "read")
    address = f"/api/v1/users/{cast.lena.pk}"
    assert api(cast.sofia).post(f"{address}/deactivate").status_code == 404
    assert api(cast.priya).post(f"{address}/deactivate").json()["active"] is False
    assert client.get("/api/v1/me").status_code == 401
    api(cast.priya).post(f"{address}/activate")
    assert client.get("/api/v1/me").status_code == 200


def test_its_use_is_noted_by_changes_only(cast: Cast) -> None:
    case = factories.use_case(cast)
    client = bearer(cast.amara, "read", "write")
    client.get("/api/v1/me")
    assert Token.objects.get().last_used_at is None
    client.patch(f"/api/v1/use-cases/{case.key}", {"question": "when?"})
    assert Token.objects.get().last_used_at is not None


def test_a_session_needs_the_csrf_token(cast: Cast) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(cast.amara)
    answer = client.post("/api/v1/use-cases", {"title": "Late flights"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "CSRF" in answer.json()["detail"]


def test_each_field_is_named(cast: Cast, api: Client) -> None:
    answer = issue(api(cast.sofia), name="", scopes=["all"], days=0)
    assert set(answer.json()["fields"]) == {"name", "scopes.0", "days"}
