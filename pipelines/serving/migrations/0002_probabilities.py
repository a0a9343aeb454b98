"""Answers of several classes keep the probability of each, so that late labels can be scored."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One nullable column: rows logged before it have none."""

    dependencies = (("serving", "0001_initial"),)

    operations = (
        migrations.AddField(
            model_name="prediction",
            name="probabilities",
            field=models.JSONField(null=True),
        ),
    )
