"""Runs that move to another blueprint version remember those before; workers say they are alive."""

import django.contrib.postgres.fields
from django.db import migrations, models

import personas.models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0008_old_code_writes"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="earlier_version_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="WorkerPresence",
            fields=[
                ("incarnation", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                (
                    "queues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                (
                    "operations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), default=list, size=None
                    ),
                ),
                ("lanes", models.PositiveSmallIntegerField(default=1)),
                ("began_at", models.DateTimeField(db_default=personas.models.BatonNow())),
                ("seen_at", models.DateTimeField(db_default=personas.models.BatonNow())),
                ("alive_until", models.DateTimeField(db_default=personas.models.BatonNow())),
                ("left_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-seen_at",),
                "indexes": [models.Index(fields=["seen_at"], name="worker_seen")],
            },
        ),
    ]
