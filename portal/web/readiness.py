"""How ready a use case is: the ML Test Score from evidence, what people sign, and the worries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.errors import Conflict, DomainError, Invalid
from personas.models import User
from pipelines.readiness import policies
from pipelines.readiness.actions import Statement, attest, withdraw
from pipelines.readiness.catalogue import SECTIONS
from pipelines.readiness.evidence import Source
from pipelines.readiness.history import History, attestations, history
from pipelines.readiness.models import Attestation
from pipelines.readiness.queries import Readiness, Subject, why_not
from pipelines.readiness.queries import readiness as query
from pipelines.readiness.scoring import TestResult
from pipelines.usecases.models import UseCase
from portal import access
from portal.web import scores
from portal.web.errors import change, page
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of
from portal.web.worries import picture

FEW = ":5"  # changes that are shown before one asks for all; the template counts on it


@dataclass(frozen=True)
class Signing:
    """A statement that the reader may sign: as whom, for what, for how many days at most."""

    persona: str
    subject: Subject


@dataclass(frozen=True)
class TestRow:
    """A test as the page shows it: its evidence with addresses, and what the reader may sign."""

    result: TestResult
    sources: tuple[tuple[Source, str], ...]
    signing: Signing | None


@dataclass(frozen=True)
class SignedRow:
    """A statement, why it does not count (""), and why the reader may not take it back (None)."""

    attestation: Attestation
    pending: str
    refusal: DomainError | None


@page
def readiness(request: HttpRequest, key: str) -> HttpResponse:
    """Show the score with what earned it, and what would earn the next point."""
    return _show(request, access.use_case_for(user_of(request), key))


@change
def sign(request: HttpRequest, key: str) -> HttpResponse:
    """Sign a statement; what is wrong with it is shown beside the form, with what was typed."""
    use_case = access.use_case_for(user_of(request), key)
    statement = Statement(
        test=text_of(request, "test"),
        text=text_of(request, "statement"),
        seen=text_of(request, "seen"),
        persona=text_of(request, "persona"),
        evidence=tuple(text_of(request, "evidence").split()),
        days=whole_of(request, "days"),
    )
    try:
        answer = attest(
            actor=actor_of(request), use_case=use_case, statement=statement, key=key_of(request)
        )
    except Invalid as error:
        return _show(request, use_case, problems=error.fields, status=422)
    except Conflict as error:
        return _show(request, use_case, moved_on=error, status=409)
    where = reverse("web:readiness", args=[key])
    return done(request, answer, f"You signed {statement.test}.", to=f"{where}#signed")


@change
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a statement back."""
    found = access.attestation_for(user_of(request), pk)
    answer = withdraw(
        actor=actor_of(request),
        attestation=found,
        reason=text_of(request, "reason"),
        key=key_of(request),
    )
    where = reverse("web:readiness", args=[found.use_case.key])
    return done(request, answer, f"The statement on {found.test} is taken back.", to=where)


def _show(
    request: HttpRequest,
    use_case: UseCase,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: Conflict | None = None,
    status: int = 200,
) -> HttpResponse:
    user, found, past = user_of(request), query(use_case), history(use_case)
    rows = _rows(user, found)
    signed = _signed(user, found)
    context = {
        "section": "use_cases",
        "streams": f"use_case:{use_case.pk}" + (f",run:{found.run.pk}" if found.run else ""),
        "now": found.now,
        "readiness": found,
        "parts": [(one, rows[one.key], _line(past, found, one.key)) for one in found.sections],
        "past": past,
        "changes": tuple(reversed(past.points)),
        "few": FEW,
        "line": _line(past, found, ""),
        "signed": signed,
        "standing": [row for row in signed if row.attestation.state == "STANDING"],
        "over": [row for row in signed if row.attestation.state != "STANDING"],
        "given": request.POST,
        "problems": problems or {},
        "moved_on": moved_on,
        "picture": picture(found.worries, user_of(request), request.GET.get("voice", "")),
    }
    return render(request, "readiness/readiness.html", context, status=status)


def _rows(user: User, found: Readiness) -> dict[str, list[TestRow]]:
    held = policies.held_by(user, found.use_case)
    subjects = {subject.test: subject for subject in found.subjects}
    rows: dict[str, list[TestRow]] = {key: [] for key in SECTIONS}
    for result in found.tests:
        sources = tuple((one, _address(one)) for one in result.finding.sources)
        signing = _signing(user, found, result, held, subjects.get(result.test.id))
        rows[result.test.section].append(TestRow(result, sources, signing))
    return rows


def _signing(
    user: User, found: Readiness, result: TestResult, held: Sequence[str], subject: Subject | None
) -> Signing | None:
    """What the reader may sign now; nothing where the point is earned, or where they signed."""
    if subject is None or not result.next:
        return None
    standing = [one for one in found.standing if one.test == result.test.id]
    persona = policies.signing_as(result.test, held, standing)
    if any(one.persona_id == persona for one in standing):
        return None
    refusal = policies.not_attesting(
        user, result.test, persona, held=held, contents=found.contents, standing=standing
    )
    return Signing(persona, subject) if refusal is None else None


def _address(source: Source) -> str:
    if source.noun == "step" and source.run:
        return f"{reverse('web:run', args=[source.run])}#step-{source.pk}"
    if source.noun in ("gate", "hand_off", "run") and source.pk:
        return reverse(f"web:{source.noun}", args=[source.pk])
    return ""


def _line(past: History, found: Readiness, section: str) -> scores.Steps | None:
    values = [(p.at, p.sections.get(section, 0.0) if section else p.score) for p in past.points]
    title = SECTIONS.get(section, "Test Score")
    return scores.steps(values, found.now, title=title, wide=not section)


def _signed(user: User, found: Readiness) -> list[SignedRow]:
    rows = attestations(found.use_case)
    return [
        SignedRow(
            one,
            why_not(one, found.contents, found.now) if one.state == "STANDING" else "",
            policies.not_withdrawing(user, one),
        )
        for one in rows
    ]
