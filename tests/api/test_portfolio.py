"""Board, portfolio and saved views over REST."""

import pytest

from tests.api.conftest import Client, Play
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_the_board_has_columns_and_cards(api: Client, cast: Cast, play: Play) -> None:
    body = api(cast.amara).get("/api/v1/board").json()
    [card] = body["cards"]
    assert (card["use_case"], card["run"]) == (play.use_case.key, play.run.pk)
    assert card["does"].startswith("is asked to decide")
    assert {"limit", "work", "p85_seconds"} <= set(body["columns"][0])
    assert api(cast.iris).get("/api/v1/board").json()["cards"] == []


def test_the_portfolio_is_the_pages(api: Client, cast: Cast, play: Play) -> None:
    body = api(cast.amara).get("/api/v1/portfolio?sort=-age&state=open").json()
    assert [line["use_case"] for line in body["lines"]] == [play.use_case.key]
    assert (body["count"], body["more"]) == (1, False)


ODD = ("portfolio?sort=evil", "portfolio?page=0", "portfolio?x=1", "board?kind=x", "board?tier=4")


def test_unknown_wishes_are_refused(api: Client, cast: Cast) -> None:
    client = api(cast.amara)
    assert {address: client.get(f"/api/v1/{address}").status_code for address in ODD} == (
        dict.fromkeys(ODD, 422)
    )


def test_a_view_is_kept_once_per_key_and_removed(api: Client, cast: Cast) -> None:
    client = api(cast.amara)
    body = {"page": "portfolio", "name": "Worth", "query": "sort=-value&page=4"}
    made = client.post("/api/v1/views", body, format="json", HTTP_IDEMPOTENCY_KEY="one")
    assert (made.status_code, made.json()["query"]) == (201, "sort=-value")
    again = client.post("/api/v1/views", body, format="json", HTTP_IDEMPOTENCY_KEY="one")
    assert again.headers["Idempotent-Replay"] == "true"
    pk = made.json()["view"]
    assert client.get(f"/api/v1/views/{pk}").json()["name"] == "Worth"
    assert api(cast.kenji).delete(f"/api/v1/views/{pk}").status_code == 404
    assert client.delete(f"/api/v1/views/{pk}").json() == {"view": pk, "removed": True}
    assert client.get("/api/v1/views").json()["results"] == []
