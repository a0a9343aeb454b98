"""My settings, people and the persona map; pages in the reader's language and zone."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from personas.models import Event, Persona, Token, User
from personas.queries import gap
from pipelines.usecases.actions import Wish, delegate
from portal.web.reader import zone_of
from tests import factories
from tests.cast import PASSWORD, Cast, acting, person

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 100


@pytest.fixture
def sofia(client: Client, cast: Cast) -> Client:
    client.force_login(cast.sofia)
    return client


def shown(client: Client, path: str, status: int = 200, **more: Any) -> str:
    answer = client.get(path, **more)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_profile_is_changed_and_the_ledger_knows(sofia: Client, cast: Cast) -> None:
    form = {"do": "profile", "name": " Sofía R. ", "email": "s@example.org",
            "time_zone": "Asia/Tokyo", "language": "de"}  # fmt: skip
    assert sofia.post("/settings/", form).status_code == 302
    cast.sofia.refresh_from_db()
    assert (cast.sofia.name, cast.sofia.time_zone, cast.sofia.language) == (
        "Sofía R.", "Asia/Tokyo", "de",
    )  # fmt: skip
    event = Event.objects.get(type="person.changed")
    assert set(event.data["changed"]) == {"name", "email", "time_zone", "language"}
    assert event.data["after"] == {"time_zone": "Asia/Tokyo", "language": "de"}
    assert "example.org" not in str(event.data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "x" * 121), ("name", "a\nBcc: b"), ("email", "nobody"),
        ("time_zone", "Mars/Base"), ("time_zone", "../../etc/passwd"), ("language", "tlh"),
        ("ml_point", "101"), ("ml_point", "-1"), ("deployment_point", "1.5"),
    ],
)  # fmt: skip
def test_bad_input_is_named_and_kept(sofia: Client, cast: Cast, field: str, value: str) -> None:
    do = "expertise" if field.endswith("point") else "profile"
    answer = sofia.post("/settings/", {"do": do, field: value})
    assert answer.status_code == 422
    assert f'<span class="where">{field}</span>' in answer.content.decode()
    assert not Event.objects.filter(type="person.changed").exists()


def test_expertise_is_ones_own_or_the_personas(sofia: Client, cast: Cast) -> None:
    sofia.post("/settings/", {"do": "expertise", "ml_point": "77", "deployment_point": ""})
    page = shown(sofia, "/people/map/")
    assert 'cx="518.0"' in page  # 56 + 77 % of 600
    assert "ML 77, deployment 16" in page
    sofia.post("/people/map/", {"do": "point", "ml_point": "", "deployment_point": "0"})
    cast.sofia.refresh_from_db()
    assert (cast.sofia.ml_point, cast.sofia.deployment_point) == (None, 0)


def test_a_token_is_shown_once(sofia: Client, cast: Cast) -> None:
    form = {"name": HOSTILE[:80], "scopes": ["read", "predict"], "days": "30",
            "idempotency_key": "k"}  # fmt: skip
    answer = sofia.post("/settings/tokens/", form)
    page, token = answer.content.decode(), Token.objects.get()
    assert answer["Cache-Control"] == "no-store"
    secret = page.partition('value="baton_')[2].partition('"')[0]
    assert token.digest == Token.hash(f"baton_{secret}")
    assert "<script>alert" not in page
    again = sofia.post("/settings/tokens/", form).content.decode()
    assert secret not in again
    assert "cannot be shown again" in again
    assert secret not in shown(sofia, "/settings/tokens/")
    assert sofia.post(f"/settings/tokens/{token.pk}/revoke").status_code == 302
    assert sofia.post(f"/settings/tokens/{token.pk}/revoke").status_code == 302
    assert "revoked" in shown(sofia, "/settings/tokens/")


@pytest.mark.parametrize(
    "change",
    [{"days": "0"}, {"days": "x"}, {"scopes": "root"}, {"scopes": ""}, {"name": "n" * 81}],
)
def test_a_bad_token_is_refused(sofia: Client, change: dict[str, str]) -> None:
    form = {"name": "n", "scopes": "read", "days": "30", **change}
    assert sofia.post("/settings/tokens/", form).status_code == 422
    assert not Token.objects.exists()


def test_tokens_of_others_are_not_there(sofia: Client, client: Client, cast: Cast) -> None:
    sofia.post("/settings/tokens/", {"name": "sofias own", "scopes": "read", "days": "7"})
    token = Token.objects.get()
    client.force_login(cast.amara)
    assert client.post(f"/settings/tokens/{token.pk}/revoke").status_code == 404
    assert "sofias own" not in shown(client, "/settings/tokens/")


def signed_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.username, password=PASSWORD)
    return client


def test_a_new_password_ends_every_other_session(cast: Cast) -> None:
    here, there = signed_in(cast.sofia), signed_in(cast.sofia)
    form = {"do": "password", "current": PASSWORD, "new": "over hill and dale", "again": "x"}
    assert here.post("/settings/security/", form).status_code == 422
    wrong = {**form, "again": form["new"], "current": "wrong"}
    assert here.post("/settings/security/", wrong).status_code == 422
    weak = {**form, "new": "12345678", "again": "12345678"}
    assert here.post("/settings/security/", weak).status_code == 422
    assert there.get("/settings/").status_code == 200
    right = {**form, "again": form["new"]}
    assert here.post("/settings/security/", right).status_code == 302
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302
    event = Event.objects.get(type="person.password_changed")
    assert "hill" not in str(event.data)


def test_signing_out_elsewhere_keeps_this_session(cast: Cast) -> None:
    here, there = signed_in(cast.sofia), signed_in(cast.sofia)
    for _ in range(2):
        assert here.post("/settings/security/", {"do": "sessions"}).status_code == 302
        assert here.get("/settings/").status_code == 200
        assert there.get("/settings/").status_code == 302
        there = signed_in(cast.sofia)


def test_a_page_in_german(sofia: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.sofia.pk).update(language="de", time_zone="Asia/Tokyo")
    answer = sofia.get("/people/map/", headers={"accept-language": "en"})
    page = answer.content.decode()
    assert '<html lang="de" dir="ltr">' in page
    assert "<h1>Persona-Karte</h1>" in page
    assert "Anwendungsfälle" in page
    assert answer["Content-Language"] == "de"
    assert translation.get_language() == "en"  # nothing stays behind for the next request
    assert timezone.get_current_timezone_name() == "UTC"


def test_strangers_are_answered_as_their_browser_asks(client: Client, db: None) -> None:
    def language(asked: str) -> str:
        answer = client.get("/sign-in/", headers={"accept-language": asked})
        assert "Accept-Language" in answer["Vary"]
        return str(answer["Content-Language"])

    asked = ("de-AT,de;q=0.9", "fr", "en-GB", "zz;;;q=x", "")
    assert [language(one) for one in asked] == ["de", "en", "en", "en", "en"]


def test_the_api_answers_in_english_and_utc(cast: Cast) -> None:
    User.objects.filter(pk=cast.sofia.pk).update(language="de", time_zone="Asia/Tokyo")
    client = APIClient()
    client.force_login(cast.sofia)
    made = client.post("/api/v1/tokens", {"name": "n", "scopes": ["read"]})
    assert made.json()["created_at"].endswith("Z")
    refused = client.patch("/api/v1/me", {"ml_point": 200}, headers={"accept-language": "de"})
    assert refused.json()["fields"]["ml_point"] == [
        "Ensure this value is less than or equal to 100."
    ]


def test_a_zone_that_is_none_is_utc() -> None:
    for name in ("", "Mars/Base", "../../etc/passwd", "/etc/passwd", "a\0b"):
        assert str(zone_of(User(time_zone=name))) == "UTC"


def test_people_say_who_is_away_and_who_acts(sofia: Client, cast: Cast) -> None:
    run = factories.hello_run(cast)
    since = timezone.now() - timedelta(hours=1)
    wish = Wish(giver=cast.sofia, deputy=cast.noor, persona="DS", use_case=run.use_case,
                since=since, until=since + timedelta(days=9), reason="")  # fmt: skip
    delegate(actor=acting(cast.sofia), wish=wish)
    page = shown(sofia, "/people/?away=1")
    assert "Sofia Reyes" in page
    assert "Noor" in page
    assert run.use_case.title in page
    sofia.force_login(cast.iris)  # sees no use case: nor a deputy of one
    assert run.use_case.title not in shown(sofia, "/people/")


def test_people_are_found_and_paged(
    sofia: Client, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(15):
        few = shown(sofia, "/people/?q=sofi&persona=DS")
    assert "Sofia Reyes" in few
    assert "Kenji" not in few
    User.objects.bulk_create(User(username=f"p{i}", name=f"Person {i:03}") for i in range(120))
    hostile = person("hostile", HOSTILE[:110])
    with django_assert_max_num_queries(15):
        first = shown(sofia, "/people/")
    assert "<script>alert" not in first
    seen, path = first, "/people/"
    for _ in range(3):
        after = seen.partition('rel="next" href="')[2].partition('"')[0]
        if not after:
            break
        seen = shown(sofia, path + after)
    assert "Sofia Reyes" in seen
    assert not seen.partition('rel="next" href="')[1]
    assert shown(sofia, f"/people/?after={'9' * 30}&q={'x' * 500}&persona=%00"[:-3])
    assert hostile.pk


def test_the_map_counts_hand_offs_that_one_may_see(
    sofia: Client, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = factories.hello_run(cast)
    gate = factories.to_gate(cast, run)
    assert gate
    with django_assert_max_num_queries(15):
        page = shown(sofia, "/people/map/")
    assert "No hand-off yet" in page or "map__arrow" in page


def test_ranges_are_edited_by_who_may_and_gaps_follow(client: Client, cast: Cast) -> None:
    before = gap("MLR", "OPS", axis="deployment")
    form = {"do": "ranges", "persona": "OPS", "ml_low": "0", "ml_point": "19", "ml_high": "55",
            "deployment_low": "10", "deployment_point": "20", "deployment_high": "30"}  # fmt: skip
    client.force_login(cast.sofia)
    assert 'value="ranges"' not in shown(client, "/people/map/")
    assert client.post("/people/map/", form).status_code == 403
    client.force_login(cast.priya)
    assert 'value="ranges"' in shown(client, "/people/map/")
    wrong = client.post("/people/map/", {**form, "deployment_point": "31"})
    assert wrong.status_code == 422
    assert 'value="31"' in wrong.content.decode()
    assert client.post("/people/map/", {**form, "persona": "XX"}).status_code == 404
    assert client.post("/people/map/", form).status_code == 302
    assert Persona.objects.get(pk="OPS").deployment_point == 20
    assert (before, gap("MLR", "OPS", axis="deployment")) == (72, 4)
    assert gap("MLR", "XX", axis="ml") == 0


def test_no_page_has_inline_style_or_script(sofia: Client) -> None:
    for path in ("/settings/", "/settings/tokens/", "/settings/security/", "/people/",
                 "/people/map/", "/away/"):  # fmt: skip
        page = shown(sofia, path)
        assert " style=" not in page
        assert "onclick" not in page
        assert page.count("<h1") == 1
