"""Attempts remember whose code they were; workers say what packages bring and what holds them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0009_moves_and_workers"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="attempt",
            name="package",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="workerpresence",
            name="packages",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="workerpresence",
            name="enforces",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
