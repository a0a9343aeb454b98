"""What a person did last is read from the end of an index, not sorted out of all they ever did."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("personas", "0003_simulation_clock"),
        ("runs", "0012_comments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(fields=["answered_by", "answered_at"], name="handoff_answered_by"),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(fields=["completed_by", "closed_at"], name="item_completed_by"),
        ),
    ]
