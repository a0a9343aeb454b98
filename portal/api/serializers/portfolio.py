"""Board, portfolio and saved views."""

from rest_framework import serializers

from pipelines.portfolio import board, lists
from pipelines.usecases.models import SavedView
from portal.api.serializers.base import Input, Output

SORTS = [one for name in lists.SORTS for one in (name, f"-{name}")]


class PortfolioFilter(Input):
    """What is looked for."""

    q = serializers.CharField(required=False, max_length=100)
    state = serializers.ChoiceField(required=False, choices=[s for s in lists.STATES if s])
    persona = serializers.CharField(required=False, max_length=8)
    tier = serializers.ChoiceField(required=False, choices=lists.TIERS)
    blueprint = serializers.CharField(required=False, max_length=60)
    sort = serializers.ChoiceField(
        required=False, choices=SORTS, help_text="with - before it the other way round"
    )
    page = serializers.IntegerField(required=False, min_value=1, max_value=lists.MOST_PAGES)


class LineSerializer(Output):
    """One use case; null where there is nothing to tell."""

    use_case = serializers.CharField(source="use_case.key")
    title = serializers.CharField(source="use_case.title")
    draft = serializers.BooleanField(source="use_case.draft")
    blueprint = serializers.CharField(allow_blank=True)
    run = serializers.IntegerField(allow_null=True)
    stage = serializers.CharField(allow_blank=True)
    stage_code = serializers.CharField(allow_blank=True)
    persona = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField(allow_null=True, help_text="the stage's round, or hand-off")
    due = serializers.DateTimeField(allow_null=True)
    value_per_year = serializers.FloatField(source="value", allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    tier = serializers.IntegerField(allow_null=True)
    test_score = serializers.FloatField(
        source="score", allow_null=True, help_text="as recorded last, 0 to 7"
    )
    forecast_p50 = serializers.DateTimeField(source="forecast", allow_null=True)
    forecast_p85 = serializers.DateTimeField(allow_null=True)
    model = serializers.CharField(allow_blank=True)
    champion = serializers.IntegerField(allow_null=True, help_text="version that is live")
    live_since = serializers.DateTimeField(allow_null=True)
    alerts = serializers.IntegerField(help_text="open ones")
    red_alerts = serializers.IntegerField()


class PortfolioSerializer(Output):
    """One page; `count` is exact up to 1000, and 1001 means more."""

    now = serializers.DateTimeField()
    count = serializers.IntegerField()
    more = serializers.BooleanField()
    lines = LineSerializer(many=True)


class BoardFilter(Input):
    """What is to be seen of the board."""

    kind = serializers.ChoiceField(required=False, choices=board.KINDS)
    persona = serializers.CharField(required=False, max_length=8)
    use_case = serializers.CharField(required=False, max_length=60, help_text="its key")
    tier = serializers.ChoiceField(required=False, choices=lists.TIERS)
    blueprint = serializers.CharField(required=False, max_length=60)
    mine = serializers.BooleanField(required=False)
    late = serializers.BooleanField(required=False)
    stage = serializers.CharField(required=False, max_length=60)


class ColumnSerializer(Output):
    """One stage: `limit` = active people of its persona x the parameter."""

    key = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    persona = serializers.CharField()
    people = serializers.IntegerField()
    work = serializers.IntegerField(help_text="rounds under way, of all use cases")
    limit = serializers.IntegerField()
    over = serializers.IntegerField(help_text="by how many the limit is passed")
    found = serializers.IntegerField()
    rounds = serializers.IntegerField(source="stay.n", help_text="finished, that ages rest on")
    p50_seconds = serializers.FloatField(source="stay.p50.total_seconds", default=None)
    p85_seconds = serializers.FloatField(source="stay.p85.total_seconds", default=None)
    p95_seconds = serializers.FloatField(source="stay.p95.total_seconds", default=None)


class CardSerializer(Output):
    """One open stage of one run."""

    stage_id = serializers.IntegerField(source="stage")
    stage = serializers.CharField(source="key")
    run = serializers.IntegerField(source="run.pk")
    use_case = serializers.CharField(source="use_case.key")
    title = serializers.CharField(source="use_case.title")
    round = serializers.IntegerField()
    state = serializers.CharField()
    waits_for = serializers.CharField(help_text="the persona whose move it is")
    holder = serializers.CharField(source="holder.who", default="", allow_blank=True)
    does = serializers.CharField(source="holder.does", default="", allow_blank=True)
    since = serializers.DateTimeField(allow_null=True)
    level = serializers.CharField(allow_blank=True, help_text="amber: above p85; red: above p95")
    due = serializers.DateTimeField(allow_null=True)
    over_due = serializers.BooleanField()
    value_per_year = serializers.FloatField(source="value", allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    tier = serializers.IntegerField(allow_null=True)


class BoardSerializer(Output):
    """The board as of `now`."""

    now = serializers.DateTimeField()
    per_person = serializers.IntegerField(help_text="the parameter of the limits")
    columns = ColumnSerializer(many=True)
    cards = CardSerializer(many=True, source="all_cards")


class ViewSerializer(serializers.ModelSerializer[SavedView]):
    """A saved view: the query of its page."""

    class Meta:
        model = SavedView
        fields = ("id", "page", "name", "query", "saved_at")


class ViewInput(Input):
    """What to keep; what the page does not know of the query is left out."""

    page = serializers.CharField(max_length=12, help_text="board or portfolio")
    name = serializers.CharField(max_length=60)
    query = serializers.CharField(max_length=5000, default="", allow_blank=True)


class ViewAnswer(Output):
    """The view."""

    view = serializers.IntegerField()
    page = serializers.CharField()
    name = serializers.CharField()
    query = serializers.CharField(allow_blank=True)


class RemovedView(Output):
    """The view that is no more."""

    view = serializers.IntegerField()
    removed = serializers.BooleanField()
