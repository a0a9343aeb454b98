"""Comments and looks: what is said, who reads it, and that nothing hostile gets through."""

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.models import Event, User
from pipelines.runs.actions import comments, gates, looks
from pipelines.runs.actions.comments import Remark
from pipelines.runs.models import Comment, Gate, Look
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate(cast: Cast) -> Gate:
    return factories.to_gate(cast, factories.hello_run(cast))


def say(user: User, review: Gate, text: str = "why?", **more: Any) -> Comment:
    answer = comments.add(actor=acting(user), topic=review.run, remark=Remark(text, **more))
    return Comment.objects.get(pk=answer.data["comment"])


def page(client: Client, user: User, where: str) -> str:
    client.force_login(user)
    answer = client.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def post(client: Client, user: User, where: str, **sent: str) -> Any:
    client.force_login(user)
    return client.post(where, {"idempotency_key": str(uuid.uuid4()), **sent})


def test_a_comment_is_kept_and_shown_on_run_review_and_use_case(
    client: Client, cast: Cast, gate: Gate
) -> None:
    answer = post(client, cast.sofia, f"/runs/{gate.run_id}/comments", text="too few rows?")
    assert answer.status_code == 302
    comment = Comment.objects.get()
    assert answer.headers["Location"].endswith(f"#comment-{comment.pk}")
    key = gate.run.use_case.key
    for where in (f"/runs/{gate.run_id}/", f"/gates/{gate.pk}/", f"/use-cases/{key}/"):
        assert "too few rows?" in page(client, cast.lena, where)


def test_a_comment_on_a_check_stands_at_the_check(client: Client, cast: Cast) -> None:
    red = engine.gate("DS", checks=[{"name": "target_met"}])
    run = engine.run(cast, engine.stage("prepare", "DE", gate=red))
    engine.perform()
    gate = engine.gate_of(run)
    sent = {"anchor": "check", "place": "prepare.target_met", "gate": str(gate.pk)}
    post(client, cast.sofia, f"/runs/{run.pk}/comments", text="which target?", **sent)
    text = page(client, cast.amara, f"/gates/{gate.pk}/")
    at_check = text[text.index('id="talk-') : text.index("</article>", text.index('id="talk-'))]
    assert "1 comment" in at_check
    assert "which target?" in at_check


def test_markup_and_bidi_do_no_harm(client: Client, cast: Cast, gate: Gate) -> None:
    hostile = "<script>alert(1)</script>\u202egpj.exe https://a.example/\u202etxt javascript:x"
    say(cast.sofia, gate, hostile)
    text = page(client, cast.lena, f"/gates/{gate.pk}/")
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert 'href="https://a.example/"' in text
    assert 'href="javascript' not in text
    assert '<p dir="auto">' in text


def test_a_link_is_safe_and_ends_where_the_sentence_does(
    client: Client, cast: Cast, gate: Gate
) -> None:
    say(cast.sofia, gate, 'See https://a.example/?q="x"&r=1. Or (http://b.example).')
    text = page(client, cast.lena, f"/runs/{gate.run_id}/")
    assert '<a href="https://a.example/?q=" rel="nofollow noopener noreferrer"' in text
    assert 'href="http://b.example"' in text


def test_too_long_is_refused_by_name_and_kept_in_the_form(
    client: Client, cast: Cast, gate: Gate
) -> None:
    long = "x" * 10_000
    answer = post(client, cast.sofia, f"/runs/{gate.run_id}/comments", text=long)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "must have 1 to 4000 characters, has 10000" in text
    assert f"{long}</textarea>" in text
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    ("anchor", "place", "told"),
    [
        ("check", "prepare.nothing", "there is no check"),
        ("hand_off", "9" * 30, "there is no hand_off"),
        ("stage", "nowhere", "there is no stage"),
        ("figure", "", "must name the figure"),
        ("", "prepare", "needs an anchor"),
        ("gate", "1", "must be one of check, figure"),
    ],
)
def test_an_anchor_hangs_on_something(
    client: Client, cast: Cast, gate: Gate, anchor: str, place: str, told: str
) -> None:
    sent = {"text": "x", "anchor": anchor, "place": place}
    answer = post(client, cast.sofia, f"/runs/{gate.run_id}/comments", **sent)
    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_a_stranger_learns_nothing(client: Client, cast: Cast, gate: Gate) -> None:
    comment = say(cast.sofia, gate)
    for where in (
        f"/runs/{gate.run_id}/comments",
        f"/use-cases/{gate.run.use_case.key}/comments",
        f"/comments/{comment.pk}/resolve",
        f"/comments/{comment.pk}/withdraw",
        f"/gates/{gate.pk}/look",
    ):
        assert post(client, cast.iris, where, text="x").status_code == 404
    assert Comment.objects.count() == 1


def test_mentions_name_people_who_may_see_it_and_nobody_else(cast: Cast, gate: Gate) -> None:
    text = "@lena, @iris and @nobody: see a@amara.example, @sofia @dmitri."
    comment = say(cast.sofia, gate, text)
    assert comment.mentions == {"lena": cast.lena.pk, "dmitri": cast.dmitri.pk}
    event = Event.objects.get(type="comment.added")
    assert sorted(event.data["mentions"]) == sorted([cast.lena.pk, cast.dmitri.pk])
    assert event.data["text"] == text


def test_resolve_reopen_withdraw(client: Client, cast: Cast, gate: Gate) -> None:
    comment = say(cast.sofia, gate, "a doubt")
    say(cast.lena, gate, "no", reply_to=comment.pk)
    assert post(client, cast.lena, f"/comments/{comment.pk}/resolve").status_code == 302
    assert "Resolved by Lena Fischer" in page(client, cast.sofia, f"/gates/{gate.pk}/")
    again = post(client, cast.amara, f"/comments/{comment.pk}/resolve")
    assert again.status_code == 409
    assert "Lena Fischer resolved this at" in again.content.decode()
    assert post(client, cast.sofia, f"/comments/{comment.pk}/reopen").status_code == 302
    assert post(client, cast.lena, f"/comments/{comment.pk}/withdraw").status_code == 403
    assert post(client, cast.sofia, f"/comments/{comment.pk}/withdraw").status_code == 302
    text = page(client, cast.lena, f"/gates/{gate.pk}/")
    assert "a doubt" not in text
    assert "Withdrawn by its author" in text
    types = Event.objects.filter(subject="comment", subject_id=comment.pk).order_by("id")
    assert [one.type for one in types] == [
        "comment.added", "comment.resolved", "comment.reopened", "comment.withdrawn",
    ]  # fmt: skip


def test_comments_of_a_blind_gate_wait_for_its_reveal(client: Client, cast: Cast) -> None:
    asked = engine.gate(("DS", 2), blind=True, expires="P4D")
    run = engine.run(cast, engine.stage("build", "DE", gate=asked))
    engine.perform()
    gate = engine.gate_of(run)
    first = say(cast.sofia, gate, "overfitted")  # sealed wherever it is written
    assert first.gate == gate
    where = f"/gates/{gate.pk}/"
    assert "overfitted" in page(client, cast.sofia, where)
    assert "overfitted" not in page(client, cast.noor, where)
    client.force_login(cast.noor)
    assert client.get(f"/api/v1/runs/{run.pk}/comments").json()["results"] == []
    assert post(client, cast.noor, f"/comments/{first.pk}/resolve").status_code == 404
    assert "text" not in Event.objects.get(type="comment.added").data
    engine.decide(cast.noor, gate)  # a verdict that could be taken back opens nothing
    assert "overfitted" not in page(client, cast.noor, where)
    client.force_login(cast.noor)
    assert client.get(f"/api/v1/runs/{run.pk}/comments").json()["results"] == []
    client.force_login(cast.priya)
    assert client.get("/console/runs/comment/").status_code == 200
    assert client.get(f"/console/runs/comment/{first.pk}/change/").status_code == 302
    engine.decide(cast.sofia, gate)  # all have decided: what was said is revealed with them
    assert "overfitted" in page(client, cast.noor, where)
    assert Event.objects.get(type="comment.revealed").data["text"] == "overfitted"


def test_an_open_comment_keeps_nobody_from_approving(cast: Cast, gate: Gate) -> None:
    say(cast.lena, gate, "wait!", gate=gate.pk)
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    gate.refresh_from_db()
    assert gate.state == "APPROVED"
    say(cast.lena, gate, "too late, but said")


def test_opening_a_review_notes_nothing_and_the_button_does(
    client: Client, cast: Cast, gate: Gate
) -> None:
    where = f"/gates/{gate.pk}/"
    assert "I have looked at it" in page(client, cast.sofia, where)
    assert not Look.objects.exists()
    assert post(client, cast.sofia, f"{where}look").status_code == 302
    assert post(client, cast.sofia, f"{where}look").status_code == 302
    look = Look.objects.get()
    assert (look.user, look.subject_digest) == (cast.sofia, gate.subject_digest)


def test_what_came_since_my_last_visit_comes_first(client: Client, cast: Cast, gate: Gate) -> None:
    looks.look(actor=acting(cast.sofia), gate=gate)
    Look.objects.update(at="2020-01-01T00:00:00Z")
    say(cast.lena, gate, "look at the columns")
    text = page(client, cast.sofia, f"/gates/{gate.pk}/")
    first = text.index("Since you looked last")
    assert first < text.index('id="brief-title"')
    assert "Lena Fischer</span> commented" in text
    looks.look(actor=acting(cast.sofia), gate=gate)  # the visit has begun; its news stay news
    assert "Lena Fischer</span> commented" in page(client, cast.sofia, f"/gates/{gate.pk}/")


def test_a_round_i_have_looked_at_is_what_the_next_is_held_against(
    client: Client, cast: Cast
) -> None:
    fields = [{"key": "columns", "label": "Columns to use", "kind": "list"}]
    stage = engine.stage(
        "prepare", "DE", items=[engine.form("choice", fields=fields)], gate=engine.gate("DS")
    )
    run = engine.run(cast, stage)
    for number, columns in enumerate((["a", "b"], ["a", "c"], ["a", "d"])):
        engine.fill(cast.dmitri, engine.item_of(run, "choice"), columns=columns)
        if number == 0:
            looks.look(actor=acting(cast.amara), gate=engine.gate_of(run))
        if number < 2:
            engine.decide(cast.sofia, engine.gate_of(run), "request_changes", reason="no")
    text = page(client, cast.amara, f"/gates/{engine.gate_of(run).pk}/")
    assert "Changed since round 1, which you looked at last" in text
    assert '<del class="gone">b</del>' in text
    assert "Changed since round 2" in page(client, cast.sofia, f"/gates/{engine.gate_of(run).pk}/")


@pytest.mark.parametrize("many", [1, 40])
def test_queries_do_not_grow_with_comments(
    client: Client,
    cast: Cast,
    gate: Gate,
    many: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = say(cast.sofia, gate, "x", gate=gate.pk)
    made = [
        Comment(
            use_case=gate.run.use_case, run=gate.run, gate=gate, text="y",
            author=cast.lena, reply_to=first if turn % 2 else None,
        )
        for turn in range(many)
    ]  # fmt: skip
    Comment.objects.bulk_create(made)
    page(client, cast.sofia, f"/gates/{gate.pk}/")
    with django_assert_num_queries(14):
        client.get(f"/gates/{gate.pk}/")
    with django_assert_num_queries(14):
        client.get(f"/runs/{gate.run_id}/")
