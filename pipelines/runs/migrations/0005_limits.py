from django.db import migrations, models

import personas.models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0004_verification"),
    ]

    operations = [
        migrations.CreateModel(
            name="Limit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("queue", "queue"),
                            ("operation", "operation"),
                            ("run", "run"),
                            ("use_case", "use_case"),
                        ],
                        max_length=12,
                    ),
                ),
                ("key", models.CharField(default="*", max_length=80)),
                ("at_most", models.PositiveSmallIntegerField()),
                ("changed_at", models.DateTimeField(db_default=personas.models.BatonNow())),
            ],
            options={
                "ordering": ("kind", "key"),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="one_limit"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("queue", "operation", "run", "use_case"))),
                        name="limit_kind_known",
                    ),
                ],
            },
        ),
    ]
