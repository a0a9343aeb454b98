"""The lineage of a run: a drawing of what led to the model and what came of it, and all of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipelines.lineage.graph import STEP
from pipelines.lineage.picture import draw
from pipelines.lineage.queries import lineage_of
from portal import access
from portal.web.errors import page
from portal.web.forms import user_of


@page
def lineage(request: HttpRequest, pk: int) -> HttpResponse:
    """Show from what the run's model was made, and what it has answered."""
    run = access.run_for(user_of(request), pk)
    graph = lineage_of(run)
    titles = {node.id: node.title for node in graph.nodes}
    sources: dict[str, list[str]] = {}
    for edge in graph.edges:
        sources.setdefault(edge.target, []).append(titles[edge.source])
    things = [node for node in graph.nodes if node.kind != STEP]
    context = {
        "section": "use_cases",
        "streams": f"run:{run.pk}",
        "run": run,
        "graph": graph,
        "picture": draw(graph),
        "things": [(node, sources.get(node.id, [])) for node in things],
        "steps": [(node, sources.get(node.id, [])) for node in graph.nodes if node.kind == STEP],
    }
    return render(request, "documents/lineage.html", context)
