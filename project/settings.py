"""Settings, from the environment; ``.env.example`` lists every variable.

Whatever is wrong with the environment is reported at once, before anything starts. Without ``DJANGO_DEBUG`` these are
the settings of a server, which has no default for its keys and hosts.
"""

from datetime import timedelta
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError, validate

from project import BASE_DIR, DATA, ENVIRONMENT_FILE
from project.keys import checkout_key

env = Env(eager=False)
env.read_env(ENVIRONMENT_FILE, recurse=False)

DEBUG = env.bool("DJANGO_DEBUG", default=False)
if DEBUG:
    SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or checkout_key(DATA / "secret-key")
    JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="") or checkout_key(DATA / "jwt-signing-key")
    ALLOWED_HOSTS: list[str] = env.list("DJANGO_ALLOWED_HOSTS", default=[])
else:
    SECRET_KEY = env.str("DJANGO_SECRET_KEY", validate=validate.Length(min=50))
    JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", validate=validate.Length(min=32))  # HS256: as long as its hash
    ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", validate=validate.Length(min=1))
CSRF_TRUSTED_ORIGINS: list[str] = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool("DJANGO_BEHIND_PROXY", default=False)
HSTS_SUBDOMAINS = env.bool("DJANGO_HSTS_SUBDOMAINS", default=False)
DATABASE: dict[str, Any] = env.dj_db_url("DATABASE_URL", default=f"sqlite:///{DATA / 'db.sqlite3'}")
REDIS_URL = env.str("REDIS_URL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
ENABLE_VOICE_REALTIME = env.bool("ENABLE_VOICE_REALTIME", default=False)
VOICE_PROVIDER = env.str("VOICE_PROVIDER", default="", validate=validate.OneOf(["", "local", "openai"]))
VOICE_ORIGINS: list[str] = env.list("VOICE_ORIGINS", default=[])
VOICE_TRUSTED_PROXIES = env.int("VOICE_TRUSTED_PROXIES", default=0, validate=validate.Range(0, 10))
VOICE_RESUME_KEYS: list[str] = env.list("VOICE_RESUME_KEYS", default=[])
VOICE_SPOOL = env.str("VOICE_SPOOL", default="")
WEAVIATE_URL = env.str("WEAVIATE_URL", default="")
WEAVIATE_API_KEY = env.str("WEAVIATE_API_KEY", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
LOG_FORMAT = env.str("LOG_FORMAT", default="line", validate=validate.OneOf(["line", "json"]))

try:
    env.seal()
except EnvValidationError as error:
    wrong = [f"  {name}: {' '.join(reasons)}" for name, reasons in cast(Any, error.error_messages).items()]
    hint = "See .env.example. To develop without any variable, use manage.py, or set DJANGO_DEBUG=true."
    raise ImproperlyConfigured("\n".join(["The environment is not complete:", *wrong, hint])) from None

# The application

INSTALLED_APPS = [
    "daphne",  # first: it replaces runserver
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_htmx",
    "voice",
    "project",
    "project.demo",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# What it stores, and how its processes speak with each other

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATA.mkdir(exist_ok=True)
    DATABASE["OPTIONS"] = {
        "timeout": 20,  # seconds
        "transaction_mode": "IMMEDIATE",  # waits for its turn; a deferred transaction that must upgrade just fails
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Persistent connections belong to a thread, and those of an ASGI server come and go: none, or PostgreSQL's pool.
    DATABASE |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": DATABASE}

if REDIS_URL:
    # A subscriber waits for as long as nothing is said, so its socket must not time out.
    _hosts = [{"address": REDIS_URL, "socket_timeout": None}]
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": _hosts}}
    }
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Languages and static files

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
_static = (
    "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "project.storage.ModuleStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _static},
}

# Who may do what

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SIMPLE_JWT = {
    "SIGNING_KEY": JWT_SIGNING_KEY,
    # Nothing revokes an access token, so it must not live long.
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends them all
    "LEEWAY": timedelta(seconds=10),  # without, a server whose clock is a moment behind refuses what another issued
}

if not DEBUG:
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HSTS_SUBDOMAINS
    if not HSTS_SUBDOMAINS:  # a decision about hosts that are not ours: the domain's owner takes it, knowingly
        SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"session": {"()": "voice.logs.SessionFilter"}},
    "formatters": {"line": {"()": "voice.logs.LineFormatter"}, "json": {"()": "voice.logs.JSONFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["session"]}},
    "loggers": {"voice": {"handlers": ["console"], "level": "INFO", "propagate": DEBUG}},
}
if not DEBUG:  # a checkout has Django's own console, which shows the text of every error
    LOGGING["root"] = {"handlers": ["console"], "level": "WARNING"}

# The spoken conversation

VOICE: dict[str, Any] = {
    "PROVIDER": VOICE_PROVIDER or None,
    "ORIGINS": VOICE_ORIGINS,
    "TRUSTED_PROXIES": VOICE_TRUSTED_PROXIES,
    "REDIS_URL": REDIS_URL,
    "RESUME_KEYS": VOICE_RESUME_KEYS,
    "SPOOL": VOICE_SPOOL,
    "OPENAI": {"api_key": OPENAI_API_KEY} | ({"base_url": OPENAI_BASE_URL} if OPENAI_BASE_URL else {}),
    "KNOWLEDGE": {"weaviate": {"url": WEAVIATE_URL, "api_key": WEAVIATE_API_KEY}},
}
