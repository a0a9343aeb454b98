"""Every setting of Baton, read from the environment once; docs/settings.md explains each.

A malformed value is refused with ImproperlyConfigured, naming setting, value and rule.
"""

import contextlib
import hashlib
import importlib.util
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


BASE_DIR = Path(__file__).resolve().parent.parent


def _whole(name: str, default: int, *, low: int, high: int) -> int:
    """Read a whole number; raises ImproperlyConfigured outside low..high."""
    text: str = env.str(name, default="").strip()
    if not text:
        return default
    if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {low} to {high}, but is {text!r}."
        )
    return int(text)


def _number(name: str, default: float, *, low: float, high: float) -> float:
    """Read a decimal number; raises ImproperlyConfigured outside low..high."""
    text: str = env.str(name, default="").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise ImproperlyConfigured(
            f"{name} must be a number from {low:g} to {high:g}, but is {text!r}."
        )
    return value


def _yes(name: str, *, default: bool) -> bool:
    """Read yes or no; raises ImproperlyConfigured for anything else."""
    text: str = env.str(name, default="").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, but is {text!r}.")


def _address(name: str, schemes: tuple[str, ...]) -> str:
    """Read an address; raises ImproperlyConfigured for an unknown scheme."""
    text: str = env.str(name, default="").strip()
    if text and urlsplit(text).scheme not in schemes:
        # Only the scheme is shown: an address may carry a password.
        raise ImproperlyConfigured(
            f"{name} must begin with one of {', '.join(s + '://' for s in schemes)}, "
            f"but begins with {text.split(':', 1)[0]!r}."
        )
    return text


def _list(name: str) -> list[str]:
    """Read words separated by commas; none by default."""
    return [part.strip() for part in env.str(name, default="").split(",") if part.strip()]


def _choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Read one of a few words; raises ImproperlyConfigured for any other."""
    text: str = env.str(name, default="").strip() or default
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, but is {text!r}.")
    return text


def _words(name: str, default: str, *, among: tuple[str, ...]) -> list[str]:
    """Read words separated by commas; raises ImproperlyConfigured for unknown ones or none."""
    found = [part.strip() for part in env.str(name, default=default).split(",") if part.strip()]
    unknown = [part for part in found if part not in among]
    if unknown or not found:
        raise ImproperlyConfigured(
            f"{name} must name some of {', '.join(among)}, separated by commas, but is "
            f"{', '.join(unknown) or 'empty'!r}."
        )
    return list(dict.fromkeys(found))


# --- Where things live ---------------------------------------------------------------------

VAR = Path(env.str("BATON_VAR", default="").strip() or BASE_DIR / "var").absolute()


def _make(folder: Path) -> Path:
    """Make a private folder; raises ImproperlyConfigured where that is impossible."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(
            f"BATON_VAR: the folder {folder} cannot be made ({problem.strerror})."
        ) from problem
    return folder


def _sockets(var: Path) -> Path:
    """Folder of the embedded servers' sockets: a socket's path may have 107 bytes at most."""
    here = var / "run"
    if len(os.fsencode(here / ".s.PGSQL.5432")) <= 107:
        return here
    pointer = var / "sockets"  # written by the launcher, so that all processes agree
    if pointer.is_file():
        return Path(pointer.read_text(encoding="utf-8").strip())
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"baton-{os.getuid()}-{name}"


_make(VAR)
SOCKETS = _sockets(VAR)


def _secret_key() -> str:
    """The signing key: from the environment, else made once and kept in VAR (0600)."""
    given: str = env.str("BATON_SECRET_KEY", default="").strip()
    if given:
        if len(given) < 32:
            raise ImproperlyConfigured("BATON_SECRET_KEY must have at least 32 characters.")
        return given
    path = VAR / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=VAR) as draft:  # made with mode 0600
            draft.write(secrets.token_urlsafe(64))
            draft.flush()
            # Atomic: of two processes that start together the first one's key stays.
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text(encoding="utf-8").strip()


SECRET_KEY = _secret_key()
DEBUG = _yes("BATON_DEBUG", default=False)
# The play marks the folder, so that its logins are shown (and only there) when it serves again.
DEMO = _yes("BATON_DEMO", default=(VAR / "demo").exists())
# Whose logins the sign-in page of a demo, or of a simulation, lists.
DEMO_CAST, SIMULATED_CAST = "portal.demo.cast", "pipelines.simulation.team"

# --- Servers of our own ----------------------------------------------------------------------

HOST = env.str("BATON_HOST", default="").strip() or "127.0.0.1"
PORT = _whole("BATON_PORT", 8000, low=1, high=65535)
SERVE_PORT = _whole("BATON_SERVE_PORT", 8001, low=1, high=65535)
URL = (_address("BATON_URL", ("http", "https")) or f"http://{HOST}:{PORT}").rstrip("/")
SERVE_URL = (
    _address("BATON_SERVE_URL", ("http", "https")) or f"http://{HOST}:{SERVE_PORT}"
).rstrip("/")
WEB_THREADS = _whole("BATON_WEB_THREADS", 8, low=1, high=64)
# Rounds under way that one active person can carry, per stage of the persona (board, own).
WIP_PER_PERSON = _whole("BATON_WIP_PER_PERSON", 2, low=1, high=1000)

ALLOWED_HOSTS = [
    *(
        part.strip()
        for part in env.str("BATON_ALLOWED_HOSTS", default="").split(",")
        if part.strip()
    ),
    *(host for host in ("127.0.0.1", "localhost", "[::1]", urlsplit(URL).hostname) if host),
]
CSRF_TRUSTED_ORIGINS = [f"{urlsplit(URL).scheme}://{urlsplit(URL).netloc}"]
HTTPS = URL.startswith("https://")

# --- Database, Redis, artefacts --------------------------------------------------------------

DATABASE_URL = _address("DATABASE_URL", ("postgres", "postgresql"))
DATABASE_OWNER_URL = _address("DATABASE_OWNER_URL", ("postgres", "postgresql"))
REDIS_URL = _address("REDIS_URL", ("redis", "rediss", "unix"))
EMBEDDED_DATABASE = not DATABASE_URL
EMBEDDED_REDIS = not REDIS_URL
DB_ROLE = _choice("BATON_DB_ROLE", "application", ("application", "owner"))
APPLICATION_ROLE = "baton"
OWNER_ROLE = "baton_owner"


# A simulated team works in a database of its own, beside the one that people work in.
SIMULATION_SUFFIX = "_simulation"
LONGEST_NAME = 63  # bytes of a name that PostgreSQL keeps (NAMEDATALEN - 1)


def _database(*, as_owner: bool) -> dict[str, object]:
    """The one database, as the application's role or, for changes of tables, as its owner."""
    if EMBEDDED_DATABASE:
        place: dict[str, object] = {
            "NAME": "baton",
            "USER": OWNER_ROLE if as_owner else APPLICATION_ROLE,
            "HOST": str(SOCKETS),
            "PORT": "5432",
        }
    else:
        address = (as_owner and DATABASE_OWNER_URL) or DATABASE_URL
        place = dict(environ.Env.db_url_config(address))
        # libpq writes a socket's folder as an escaped host.
        place["HOST"] = unquote(str(place.get("HOST") or ""))
    options = dict(place.pop("OPTIONS", None) or {})  # type: ignore[call-overload]
    options.setdefault("connect_timeout", 5)
    # A forgotten transaction must not hold back vacuum or keep a run locked.
    # Kept statements are planned once: each can be done in one way only, and planning the claim
    # anew each time took thrice as long as doing it. And none by merging: new rows have greater ids
    # than statistics know of, so a merge with all runs ever looked like one with the first few
    # (a gate by its id: 240 ms for 0.1 with 180,000 runs).
    options.setdefault(
        "options",
        "-c idle_in_transaction_session_timeout=30000 -c plan_cache_mode=force_generic_plan"
        " -c enable_mergejoin=off",
    )
    name = str(place["NAME"])
    if _yes("BATON_SIMULATION", default=False) and not name.endswith(SIMULATION_SUFFIX):
        place["NAME"] = name + SIMULATION_SUFFIX
        most = LONGEST_NAME - len(SIMULATION_SUFFIX)
        if len(name.encode()) > most:
            # PostgreSQL would cut it, and what is left may be the real database's name.
            raise ImproperlyConfigured(
                f"DATABASE_URL: the database's name {name!r} has {len(name.encode())} bytes; a"
                f" simulation beside it needs one of at most {most}"
            )
    return place | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


DATABASES = {"default": _database(as_owner=DB_ROLE == "owner")}
DATABASE_AS_OWNER = _database(as_owner=True)
SIMULATION = str(DATABASES["default"]["NAME"]).endswith(SIMULATION_SUFFIX)
if not EMBEDDED_DATABASE:
    APPLICATION_ROLE = str(environ.Env.db_url_config(DATABASE_URL).get("USER") or APPLICATION_ROLE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What a simulation computes is no use case's: it stays out of the real store.
ARTEFACT_URL = _address("ARTEFACT_URL", ("file", "s3")) or f"file://{VAR / 'artefacts'}"
if SIMULATION:
    ARTEFACT_URL = ARTEFACT_URL.rstrip("/") + "/simulation"

REDIS_DB = _whole("BATON_REDIS_DB", 0, low=0, high=15)
REDIS_SOCKET = SOCKETS / "valkey.sock"
if EMBEDDED_REDIS:
    REDIS_URL = f"unix://{REDIS_SOCKET}?db={REDIS_DB}"

# Per process on purpose: pages and decisions must work while Redis is away.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Engine and workers ----------------------------------------------------------------------

LEASE_SECONDS = _whole("BATON_LEASE_SECONDS", 60, low=2, high=3600)
SWEEP_SECONDS = _number("BATON_SWEEP_SECONDS", 1.0, low=0.05, high=60)
WORKER_THREADS = _whole("BATON_WORKER_THREADS", 2, low=1, high=64)
# Threads of one step: the cores, shared among the steps that a worker performs at once.
STEP_THREADS = _whole(
    "BATON_STEP_THREADS", max(1, (os.cpu_count() or 1) // WORKER_THREADS), low=1, high=64
)
WORKER_QUEUES = _words("BATON_WORKER_QUEUES", "cpu,memory", among=("cpu", "memory", "gpu"))
# Where named connections may lead beyond public addresses; their secrets are variables, too.
CONNECTION_HOSTS = _list("BATON_CONNECTION_HOSTS")
CONNECTION_FOLDERS = _list("BATON_CONNECTION_FOLDERS")
# How often the engine asks whether the invariants hold.
VERIFY_SECONDS = _number("BATON_VERIFY_SECONDS", 60.0, low=1, high=86_400)
ENGINE_LAG_SECONDS = _number("BATON_ENGINE_LAG_SECONDS", 30.0, low=1, high=3600)
# Called with each outbox row after commit, at least once; see pipelines/runs/outbox.py.
OUTBOX_CONSUMERS: list[str] = ["pipelines.notifications.consumer.notify"]

# --- Mail ------------------------------------------------------------------------------------

# Without it nobody is written to, and notifications stay in the portal; a simulation never writes.
_EMAIL_URL = _address(
    "EMAIL_URL", ("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail")
)
EMAIL_CONFIGURED = bool(_EMAIL_URL) and not SIMULATION
_EMAIL = environ.Env.email_url_config(_EMAIL_URL or "dummymail://")
EMAIL_BACKEND = str(_EMAIL["EMAIL_BACKEND"])
EMAIL_HOST = str(_EMAIL.get("EMAIL_HOST") or "localhost")
EMAIL_PORT = int(_EMAIL.get("EMAIL_PORT") or 25)
EMAIL_HOST_USER = str(_EMAIL.get("EMAIL_HOST_USER") or "")
EMAIL_HOST_PASSWORD = str(_EMAIL.get("EMAIL_HOST_PASSWORD") or "")
EMAIL_USE_TLS = bool(_EMAIL.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_EMAIL.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = "/" + str(_EMAIL.get("EMAIL_FILE_PATH") or VAR / "mail").lstrip("/")
EMAIL_TIMEOUT = 10  # s: a silent server must not keep the engine's other lookouts waiting
DEFAULT_FROM_EMAIL = env.str("BATON_EMAIL_FROM", default="").strip() or (
    f"Baton <baton@{urlsplit(URL).hostname or 'localhost'}>"
)
if any(ord(character) < 32 for character in DEFAULT_FROM_EMAIL):
    raise ImproperlyConfigured("BATON_EMAIL_FROM must be one line without control characters.")


def _broker() -> str:
    """Celery's name for REDIS_URL: it calls unix sockets redis+socket and spells db otherwise."""
    if not REDIS_URL.startswith("unix://"):
        return REDIS_URL
    return REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


CELERY_BROKER_URL = _broker()
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, int | bool | str] = {
    "visibility_timeout": 3600,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_TIMEZONE = "UTC"
# A poke carries no work: the claim does. So it is acknowledged early and never redelivered.
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_DEFAULT_QUEUE = "cpu"
# A simulation beside real work on one Redis takes none of its wake-up calls, nor gives it any.
REDIS_PREFIX = "simulation:" if SIMULATION else ""
if REDIS_PREFIX:
    CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = REDIS_PREFIX
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Without this Celery closes the database connection after every poke.
CELERY_DB_REUSE_MAX = 10_000

# --- Applications ----------------------------------------------------------------------------


def _present(name: str) -> bool:
    """Whether one of our own applications is part of this checkout."""
    try:
        return importlib.util.find_spec(f"{name}.apps") is not None
    except ModuleNotFoundError:
        return False


INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "pgtrigger",
    "heroicons",
    "personas",
    "pipelines.artefacts",
    "pipelines.usecases",
    "pipelines.runs",
    "pipelines.registry",
    "pipelines.serving",
    "pipelines.monitoring",
    "pipelines.search",
    "pipelines.notifications",
    *filter(_present, ["pipelines.readiness", "portal.notify"]),
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.web.reader.Reader",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.web.errors.Away",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

_LOADERS = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "portal.web.tags",
                "portal.web.help_tags",
                "portal.web.remarks",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.web.simulated.simulated",
            ],
        },
    }
]

# --- People, sessions, security --------------------------------------------------------------

AUTH_USER_MODEL = "personas.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"

CSRF_FAILURE_VIEW = "portal.web.errors.forgery"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Language, time, files -------------------------------------------------------------------

# Of who reads: portal/web/reader.py. Texts, numbers and dates: docs/translation.md.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.web.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = _make(VAR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served straight from the packages and static/: nothing has to be collected to start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Its name says which version it is.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/charts/.+\.[0-9a-f]{12}\.js$"

UPLOAD_LIMIT_MB = _whole("BATON_UPLOAD_LIMIT_MB", 512, low=1, high=102_400)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = _make(VAR / "tmp")
FILE_UPLOAD_PERMISSIONS = 0o600

# --- REST ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "portal.api.errors.answer",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Baton",
    "DESCRIPTION": "Use cases, runs, gates and hand-offs, as pages and as REST.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        name: f"pipelines.lifecycles.{name}"
        for name in (
            "RunState",
            "StageState",
            "StepState",
            "AttemptState",
            "WorkItemState",
            "GateState",
            "DecisionState",
            "FindingState",
            "HandOffState",
            "AlertState",
            "ModelVersionState",
        )
    }
    | {
        "FindingSeverity": "pipelines.runs.models.findings.SEVERITIES",
        "OverrideVerdict": "pipelines.runs.actions.overrides.VERDICTS",
        "KindEnum": "pipelines.operations.fetch.address.KINDS",
        "NotificationKind": "portal.api.serializers.notifications.KINDS",
    }
    | {"VersionState": [(s, s) for s in ("draft", "published", "retired")]},
}

# --- Logging ---------------------------------------------------------------------------------

LOG_LEVEL = _choice("BATON_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False}
        for name in ("baton", "personas", "pipelines", "portal")
    },
}
