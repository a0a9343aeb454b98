"""Readiness: the ML Test Score from evidence, statements people signed, and the worries."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from pipelines.lifecycles import AttestationState
from pipelines.readiness.models import Attestation, Point
from pipelines.readiness.testdefs import BY_ID
from portal.api.serializers.base import Input, Output, PersonSerializer, choices


class SectionScore(Output):
    """The points of one of the four sections."""

    key = serializers.CharField()
    title = serializers.CharField()
    points = serializers.FloatField()
    most = serializers.IntegerField()


class EvidenceSource(Output):
    """One piece of evidence: what it is, when it came about, and its digests by name."""

    noun = serializers.CharField()
    id = serializers.CharField(source="pk")
    label = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    run = serializers.IntegerField(allow_null=True)
    digests = serializers.DictField(child=serializers.CharField())


class SignedScore(Output):
    """A statement that counts for a test now."""

    attestation = serializers.IntegerField(source="pk")
    persona = serializers.CharField()
    who = serializers.CharField()
    statement = serializers.CharField()
    until = serializers.DateTimeField()


class TestScore(Output):
    """One test: its points, the evidence for them, and what would earn the next."""

    id = serializers.CharField(source="test.id")
    section = serializers.CharField(source="test.section")
    title = serializers.CharField(source="test.title")
    persona = serializers.CharField(source="test.persona")
    points = serializers.FloatField(source="finding.points")
    basis = serializers.CharField(source="finding.basis", help_text="on what the points rest")
    evidence = serializers.CharField(source="finding.text", allow_blank=True)
    noun = serializers.CharField(source="finding.noun", allow_blank=True)
    noun_id = serializers.CharField(source="finding.pk")
    sources = EvidenceSource(source="finding.sources", many=True)
    times = serializers.IntegerField(
        source="finding.times", help_text="how often it was computed, not from the cache"
    )
    next = serializers.CharField(allow_blank=True, help_text="empty where the point is earned")
    signers = serializers.ListField(
        source="test.signers",
        child=serializers.CharField(),
        help_text="personas that sign, all of them, for half a point; none: it is computed alone",
    )
    attested = SignedScore(source="finding.attested", many=True)


class SubjectSerializer(Output):
    """What a statement on a test is bound to now: name it by `seen` when signing."""

    test = serializers.CharField()
    seen = serializers.CharField()
    digests = serializers.DictField(child=serializers.CharField())
    days = serializers.IntegerField(help_text="for how many days it may hold at most")


class AdviceSerializer(Output):
    """A test to automate next: in a weakest section, the largest gain for the least effort."""

    test = serializers.CharField(source="result.test.id")
    what = serializers.CharField(source="result.next")
    kind = serializers.CharField()
    gain = serializers.FloatField()
    effort = serializers.IntegerField(help_text="1 to 3")
    persona = serializers.CharField(source="result.test.persona")
    signers = serializers.ListField(
        child=serializers.CharField(), help_text="who may sign for half a point meanwhile"
    )


class WorrySerializer(Output):
    """One of the 26 worries: its level, and what was found."""

    id = serializers.CharField(source="worry.id")
    title = serializers.CharField(source="worry.title")
    column = serializers.CharField(source="worry.group", help_text="one of six")
    detector = serializers.CharField(source="worry.detector")
    alarm = serializers.CharField(source="worry.alarm")
    threshold_class = serializers.CharField(source="worry.threshold_class")
    level = serializers.CharField(
        help_text="blocker, warn, note, clear, not enough data, not looked at or does not apply"
    )
    text = serializers.CharField(allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(), help_text="of the data")
    rows = serializers.IntegerField(allow_null=True, help_text="most rows that one finding names")
    examples = serializers.ListField(
        child=serializers.JSONField(), help_text="a few rows: number from 1, key, value"
    )
    do = serializers.CharField(allow_blank=True, help_text="what to do; empty where nothing is")
    meaning = serializers.DictField(
        child=serializers.CharField(), help_text="what it means, by persona code"
    )


class ReadinessSerializer(Output):
    """The score is the least of the sections (0 to 7); `run` is the one whose evidence counts."""

    use_case = serializers.CharField(source="use_case.key")
    run = serializers.IntegerField(source="run.pk", allow_null=True, default=None)
    version = serializers.IntegerField(allow_null=True, help_text="of the model that the run made")
    score = serializers.FloatField()
    band = serializers.CharField(source="result.band")
    sections = SectionScore(many=True)
    tests = TestScore(many=True)
    subjects = SubjectSerializer(many=True)
    next_test = serializers.CharField(
        allow_null=True,
        help_text="the next test to automate, the first of `advice`",
    )
    advice = AdviceSerializer(many=True)
    score_after = serializers.FloatField(help_text="the score once all of the advice is followed")
    worries = WorrySerializer(many=True)


class PointSerializer(serializers.ModelSerializer[Point]):
    """The score from a moment on, and which tests changed then, by which evidence."""

    sections = serializers.DictField(child=serializers.FloatField())
    points = serializers.DictField(child=serializers.FloatField())
    changes = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = Point
        fields = ("id", "at", "run", "score", "sections", "points", "changes")


class AttestationSerializer(serializers.ModelSerializer[Attestation]):
    """A signed statement, what it is bound to, until when it holds, and what ended it."""

    use_case = serializers.CharField(source="use_case.key")
    user = PersonSerializer()
    ended_by = PersonSerializer(allow_null=True)
    evidence = serializers.ListField(child=serializers.CharField())
    digests = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Attestation
        fields = (
            "id",
            "use_case",
            "test",
            "persona",
            "user",
            "statement",
            "evidence",
            "digests",
            "subject_digest",
            "run",
            "state",
            "signed_at",
            "expires_at",
            "ended_at",
            "ended_by",
            "ended_reason",
        )


class AttestationFilter(Input):
    """Which statements."""

    state = serializers.ChoiceField(choices=choices(AttestationState), required=False)
    test = serializers.ChoiceField(choices=choices(BY_ID), required=False)


class AttestationInput(Input):
    """What is signed, as whom, for how long, and what one was shown (`seen`, of `subjects`)."""

    test = serializers.CharField(max_length=8, help_text="Data1 to Mon7")
    persona = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="where you hold several that sign"
    )
    statement = serializers.CharField(max_length=4000)
    evidence = serializers.ListField(
        child=serializers.CharField(max_length=400),
        default=list,
        max_length=20,
        help_text="addresses or digests that show it",
    )
    seen = serializers.CharField(max_length=64, help_text="digest of what the statement is about")
    days = serializers.IntegerField(
        required=False, default=None, allow_null=True, min_value=1, max_value=365
    )


class AttestationAnswer(Output):
    """The statement and its state now."""

    attestation = serializers.IntegerField()
    test = serializers.CharField()
    persona = serializers.CharField()
    state = serializers.CharField()
    expires_at = serializers.DateTimeField()


def statement_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent as the fields of a Statement."""
    return {
        "test": given["test"],
        "text": given["statement"],
        "seen": given["seen"],
        "persona": given["persona"],
        "evidence": tuple(given["evidence"]),
        "days": given["days"],
    }
