import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("personas", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessCalendar",
            fields=[
                (
                    "persona",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="calendar",
                        serialize=False,
                        to="personas.persona",
                    ),
                ),
                ("zone", models.CharField(default="UTC", max_length=60)),
                ("hours", models.JSONField(default=dict)),
                (
                    "holidays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), blank=True, default=list, size=None
                    ),
                ),
            ],
            options={
                "ordering": ("persona__lane",),
            },
        ),
    ]
