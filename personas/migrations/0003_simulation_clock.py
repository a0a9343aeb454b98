"""Only the clock of a database that was made as a simulation can be moved."""

import datetime

from django.db import migrations, models

# The application's role cannot rename a database, and a dump that is restored under another name
# fails here. Tests have databases of their own, whose names begin with test_. A plain trigger, since
# pgtrigger's can be told to look away.
GUARD = """
CREATE FUNCTION baton_guard_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the clock stays: without its row time would jump';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.simulation IS DISTINCT FROM NEW.simulation THEN
        RAISE EXCEPTION 'a database stays what it was made as';
    END IF;
    IF (NEW.simulation OR NEW."offset" <> interval '0')
       AND current_database() !~ '(_simulation$|^test_)' THEN
        RAISE EXCEPTION 'database % was not made as a simulation: its clock is the server''s',
            current_database();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER baton_guard_clock BEFORE INSERT OR UPDATE OR DELETE ON personas_clock
    FOR EACH ROW EXECUTE FUNCTION baton_guard_clock();
"""


class Migration(migrations.Migration):
    dependencies = [("personas", "0002_business_calendars")]

    operations = [
        migrations.RunSQL(sql=GUARD, reverse_sql="DROP FUNCTION baton_guard_clock() CASCADE;"),
        migrations.AddConstraint(
            model_name="clock",
            constraint=models.CheckConstraint(
                condition=models.Q(simulation=True) | models.Q(offset=datetime.timedelta(0)),
                name="only_simulations_move_time",
            ),
        ),
    ]
