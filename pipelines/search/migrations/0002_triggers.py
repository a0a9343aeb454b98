"""What keeps the words: functions and triggers, and the words of what is there already.

An entry is made from its rows by one function, whichever of them changed; a title that changes
takes its runs and its model along. Names of people are written with NFC, as queries are.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION search_vector(title text, beside text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('simple', t), 'A') || setweight(to_tsvector('english', t), 'B')
        || setweight(to_tsvector('simple', b), 'C') || setweight(to_tsvector('english', b), 'D')
      FROM (SELECT normalize(left(coalesce(title, ''), 1000), NFC) AS t,
                   normalize(left(coalesce(beside, ''), 20000), NFC) AS b) AS given
$$;

CREATE FUNCTION search_keep_use_cases(VARIADIC ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_entry (noun, object_id, use_case_id, at, words)
    SELECT 'use_case', c.id, c.id, c.created_at,
           search_vector(c.title, concat_ws(' ', c.key, c.question))
      FROM usecases_usecase c WHERE c.id = ANY (ids)
    ON CONFLICT (noun, object_id) DO UPDATE SET words = excluded.words, at = excluded.at
$$;

CREATE FUNCTION search_keep_runs(VARIADIC ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_entry (noun, object_id, use_case_id, at, words)
    SELECT 'run', r.id, r.use_case_id, r.created_at,
           search_vector(
               concat_ws(' ', CASE r.kind WHEN 'watch' THEN 'Watch' ELSE 'Run' END, r.number,
                         c.title),
               concat_ws(' ', c.key, b.title, r.reason, r.parameters ->> 'target'))
      FROM runs_run r
      JOIN usecases_usecase c ON c.id = r.use_case_id
      JOIN usecases_blueprintversion v ON v.id = r.version_id
      JOIN usecases_blueprint b ON b.id = v.blueprint_id
     WHERE r.id = ANY (ids)
    ON CONFLICT (noun, object_id) DO UPDATE SET words = excluded.words, at = excluded.at
$$;

CREATE FUNCTION search_keep_models(VARIADIC ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_entry (noun, object_id, use_case_id, at, words)
    SELECT 'model', m.id, m.use_case_id, m.created_at,
           search_vector(concat_ws(' ', m.name, m.title), c.title)
      FROM registry_model m JOIN usecases_usecase c ON c.id = m.use_case_id
     WHERE m.id = ANY (ids)
    ON CONFLICT (noun, object_id) DO UPDATE SET words = excluded.words, at = excluded.at
$$;

CREATE FUNCTION search_keep_people(VARIADIC ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_entry (noun, object_id, use_case_id, at, words)
    SELECT 'person', u.id, NULL, u.joined_at,
           search_vector(concat_ws(' ', u.name, u.username),
               (SELECT string_agg(concat_ws(' ', p.code, p.title), ' ')
                  FROM personas_user_personas held
                  JOIN personas_persona p ON p.code = held.persona_id
                 WHERE held.user_id = u.id))
      FROM personas_user u WHERE u.id = ANY (ids)
    ON CONFLICT (noun, object_id) DO UPDATE SET words = excluded.words, at = excluded.at
$$;

CREATE FUNCTION search_of_use_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.title, NEW.key, NEW.question) = (OLD.title, OLD.key, OLD.question)
    THEN RETURN NULL; END IF;
    PERFORM search_keep_use_cases(NEW.id);
    IF TG_OP = 'INSERT' OR (NEW.title, NEW.key) <> (OLD.title, OLD.key) THEN
        PERFORM search_keep_runs(VARIADIC ARRAY(SELECT id FROM runs_run WHERE use_case_id = NEW.id));
        PERFORM search_keep_models(
            VARIADIC ARRAY(SELECT id FROM registry_model WHERE use_case_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION search_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_keep_runs(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION search_of_model() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_keep_models(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION search_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_keep_people(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION search_of_persona() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM search_keep_people(OLD.user_id);
    ELSE
        PERFORM search_keep_people(NEW.user_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION search_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_entry WHERE noun = TG_ARGV[0] AND object_id = OLD.id;
    RETURN NULL;
END $$;
"""

# An update that touches none of the words calls no function: runs are changed all the time.
TRIGGERS = """
CREATE TRIGGER search_use_case AFTER INSERT OR UPDATE ON usecases_usecase
    FOR EACH ROW EXECUTE FUNCTION search_of_use_case();
CREATE TRIGGER search_use_case_gone AFTER DELETE ON usecases_usecase
    FOR EACH ROW EXECUTE FUNCTION search_forget('use_case');
CREATE TRIGGER search_run_made AFTER INSERT ON runs_run
    FOR EACH ROW EXECUTE FUNCTION search_of_run();
CREATE TRIGGER search_run_changed AFTER UPDATE ON runs_run FOR EACH ROW
    WHEN (OLD.reason IS DISTINCT FROM NEW.reason OR OLD.version_id <> NEW.version_id
          OR OLD.parameters IS DISTINCT FROM NEW.parameters)
    EXECUTE FUNCTION search_of_run();
CREATE TRIGGER search_run_gone AFTER DELETE ON runs_run
    FOR EACH ROW EXECUTE FUNCTION search_forget('run');
CREATE TRIGGER search_model AFTER INSERT ON registry_model
    FOR EACH ROW EXECUTE FUNCTION search_of_model();
CREATE TRIGGER search_model_changed AFTER UPDATE ON registry_model FOR EACH ROW
    WHEN (OLD.name <> NEW.name OR OLD.title <> NEW.title) EXECUTE FUNCTION search_of_model();
CREATE TRIGGER search_model_gone AFTER DELETE ON registry_model
    FOR EACH ROW EXECUTE FUNCTION search_forget('model');
CREATE TRIGGER search_person AFTER INSERT ON personas_user
    FOR EACH ROW EXECUTE FUNCTION search_of_person();
CREATE TRIGGER search_person_changed AFTER UPDATE ON personas_user FOR EACH ROW
    WHEN (OLD.name <> NEW.name OR OLD.username <> NEW.username)
    EXECUTE FUNCTION search_of_person();
CREATE TRIGGER search_person_gone AFTER DELETE ON personas_user
    FOR EACH ROW EXECUTE FUNCTION search_forget('person');
CREATE TRIGGER search_persona_held AFTER INSERT OR DELETE ON personas_user_personas
    FOR EACH ROW EXECUTE FUNCTION search_of_persona();
"""

FILL = """
SELECT search_keep_use_cases(VARIADIC ARRAY(SELECT id FROM usecases_usecase));
SELECT search_keep_runs(VARIADIC ARRAY(SELECT id FROM runs_run));
SELECT search_keep_models(VARIADIC ARRAY(SELECT id FROM registry_model));
SELECT search_keep_people(VARIADIC ARRAY(SELECT id FROM personas_user));
"""

UNDO_TRIGGERS = """
DROP TRIGGER search_use_case ON usecases_usecase;
DROP TRIGGER search_use_case_gone ON usecases_usecase;
DROP TRIGGER search_run_made ON runs_run;
DROP TRIGGER search_run_changed ON runs_run;
DROP TRIGGER search_run_gone ON runs_run;
DROP TRIGGER search_model ON registry_model;
DROP TRIGGER search_model_changed ON registry_model;
DROP TRIGGER search_model_gone ON registry_model;
DROP TRIGGER search_person ON personas_user;
DROP TRIGGER search_person_changed ON personas_user;
DROP TRIGGER search_person_gone ON personas_user;
DROP TRIGGER search_persona_held ON personas_user_personas;
"""

UNDO_FUNCTIONS = """
DROP FUNCTION search_of_use_case(), search_of_run(), search_of_model(), search_of_person(),
    search_of_persona(), search_forget();
DROP FUNCTION search_keep_use_cases(bigint[]), search_keep_runs(bigint[]),
    search_keep_models(bigint[]), search_keep_people(bigint[]);
DROP FUNCTION search_vector(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0001_words"),
        ("personas", "0003_simulation_clock"),
        ("usecases", "0002_delegations"),
        ("runs", "0010_brought_operations"),
        ("registry", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, UNDO_FUNCTIONS),
        migrations.RunSQL(TRIGGERS, UNDO_TRIGGERS),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
