import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import personas.models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0005_limits"),
        ("personas", "0002_business_calendars"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="workitem",
            name="delegated_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="workitem",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("kind", "help")), fields=["asked_by"], name="item_asker"
            ),
        ),
        migrations.AddField(
            model_name="workitem",
            name="hold_reason",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="workitem",
            name="escalations",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("state", "ON_HOLD")),
                fields=["follow_up_at"],
                name="item_follow_up",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="cancel_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="has_help",
            field=models.BooleanField(default=False),
        ),
        # A run that is being cancelled now keeps the grace time it has.
        migrations.RunSQL(
            sql="UPDATE runs_run SET cancel_asked_at = moved_at WHERE state = 'CANCELLING'",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.RemoveIndex(model_name="run", name="run_state_moved"),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["state"], name="run_state"),
        ),
        # Every command writes `moved_at`: room in the page keeps that from touching any index.
        migrations.RunSQL(
            sql="ALTER TABLE runs_run SET (fillfactor = 70)",
            reverse_sql="ALTER TABLE runs_run RESET (fillfactor)",
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("noun", models.CharField(max_length=12)),
                ("subject_id", models.BigIntegerField()),
                (
                    "personas",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), default=list, size=None
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("created_at", models.DateTimeField(db_default=personas.models.BatonNow())),
                ("told_at", models.DateTimeField(null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reminders",
                        to="runs.run",
                    ),
                ),
            ],
            options={
                "ordering": ("at", "percent"),
            },
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("noun", "subject_id", "percent"), name="one_reminder_per_threshold"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__in", (50, 80, 100))), name="reminder_percent_known"
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("dropped_at", None), ("told_at", None)),
                fields=["at"],
                name="reminder_open",
            ),
        ),
    ]
