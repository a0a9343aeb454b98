"""What can be found, as words. Triggers of the migrations keep it; no action writes it."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

USE_CASE, RUN, MODEL, PERSON = "use_case", "run", "model", "person"
NOUNS = (USE_CASE, RUN, MODEL, PERSON)


class Entry(models.Model):
    """The words of one use case, run, model or person.

    Weights: A the title as written, B its English stems, C and D the same of what is beside it.
    """

    noun = models.CharField(max_length=10)
    object_id = models.BigIntegerField()
    use_case_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    words = SearchVectorField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("noun", "object_id"), name="one_entry_of_a_thing"),
        )
        # One index of words per noun: PostgreSQL's own GIN cannot hold the noun beside the words.
        indexes = (
            *(
                GinIndex(fields=("words",), name=f"words_of_{noun}", condition=models.Q(noun=noun))
                for noun in NOUNS
            ),
            models.Index(fields=("use_case_id", "noun"), name="entry_use_case"),
            models.Index(fields=("noun", "-at", "-id"), name="entry_newest"),
        )

    def __str__(self) -> str:
        return f"{self.noun} {self.object_id}"
