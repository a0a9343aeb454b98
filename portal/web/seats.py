"""Seats: who acts as which persona on a use case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from personas.errors import Invalid
from personas.models import User
from personas.people import PERSONAS
from pipelines.runs.queries.plans import plan_of
from pipelines.usecases import actions, queries
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import not_managing
from portal import access
from portal.web.drafts import own_draft, steps
from portal.web.errors import change, form_page
from portal.web.forms import actor_of, done, key_of, user_of


@form_page
def seats(request: HttpRequest, key: str) -> HttpResponse:
    """Show who has a seat and who could take one; give the chosen seats."""
    use_case = access.use_case_for(user_of(request), key)
    problems: dict[str, list[str]] = {}
    if request.method == "POST":
        problems = _give(request, own_draft(request, key))
        if not problems:
            if use_case.draft:
                return redirect("web:start_run", key=key)
            return done(request, None, "The seats are given.", to=request.path)
    lanes = _lanes(use_case)
    context = {
        "section": "use_cases",
        "use_case": use_case,
        "steps": steps("seats") if use_case.draft else [],
        "lanes": lanes,
        "anybody": any(lane["able"] for lane in lanes),
        "problems": problems,
        "not_managing": not_managing(user_of(request), use_case),
    }
    return render(request, "use_cases/seats.html", context, status=422 if problems else 200)


def _needed(use_case: UseCase) -> set[str]:
    """Return the personas that the use case's blueprint asks for."""
    version = queries.published_versions().filter(blueprint=use_case.blueprint).first()
    return set(plan_of(version).personas()) if version is not None else set()


def _lanes(use_case: UseCase) -> list[dict[str, object]]:
    """Return one line per persona: who holds it here, who could, and whether it is needed."""
    needed, open_seats = _needed(use_case), list(queries.seats_of(use_case))
    people: list[User] = list(queries.candidates())
    lanes = []
    for definition in PERSONAS:
        held = [seat for seat in open_seats if seat.persona_id == definition.code]
        seated = {seat.user_id for seat in held}
        able = [
            person
            for person in people
            if person.pk not in seated
            and any(persona.code == definition.code for persona in person.personas.all())
        ]
        # A draft without files has no blueprint yet: any may ask for any persona.
        wanted = definition.code in needed or not needed
        lanes.append(
            {
                "persona": definition,
                "seats": held,
                "able": able,
                "needed": definition.code in needed,
                "suggested": able[0] if able and not held and wanted else None,
            }
        )
    return lanes


def _give(request: HttpRequest, use_case: UseCase) -> dict[str, list[str]]:
    """Give every chosen seat; return what was refused, by persona."""
    problems: dict[str, list[str]] = {}
    people = {str(person.pk): person for person in queries.candidates()}
    base = key_of(request)
    for definition in PERSONAS:
        wanted = request.POST.get(f"seat.{definition.code}", "")
        if not wanted:
            continue
        if wanted not in people:
            problems[definition.code] = ["there is no such person who could take it"]
            continue
        try:
            actions.give_seat(
                actor=actor_of(request),
                use_case=use_case,
                user=people[wanted],
                persona=definition.code,
                key=f"{base}:{definition.code}" if base else None,
            )
        except Invalid as error:
            problems[definition.code] = [text for found in error.fields.values() for text in found]
    return problems


@change
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a seat from now on."""
    seat = access.seat_for(user_of(request), pk)
    answer = actions.end_seat(actor=actor_of(request), seat=seat)
    return done(request, answer, f"{seat.user} no longer acts as {seat.persona_id} here.")
