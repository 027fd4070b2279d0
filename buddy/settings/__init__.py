"""All settings, read from the environment, `.env` and `var/local.env` (environment.py), in this order.

`.env.example` lists every variable.
"""

from logging import LogRecord
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .accounts import *  # noqa: F403 (these are settings as well)
from .companions import *  # noqa: F403
from .database import DATABASES as DATABASES
from .environment import BASE_DIR, VAR_DIR, env, local_secret_key
from .origins import *  # noqa: F403
from .origins import CORS_ALLOWED_ORIGINS, HTTPS, SITE_URL
from .queue import *  # noqa: F403

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret_key()
#: Former keys: what they signed or encrypted is still read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
ALLOWED_HOSTS += [host for host in [urlsplit(SITE_URL).hostname] if host and host not in ALLOWED_HOSTS]
#: Networks (or `unix`) of the proxies whose X-Forwarded-For is trusted (docs/limits.md).
TRUSTED_PROXIES = [proxy.strip() for proxy in env.list("TRUSTED_PROXIES", default=[])]

INSTALLED_APPS = [
    "daphne",  # before staticfiles: `runserver` then speaks WebSocket
    "buddy.apps.AdministrationConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "buddy.storage.Collected",  # django.contrib.staticfiles
    "buddy.doctor",  # for its command
    "buddy.alerts",
    "channels",
    "ninja",  # for the static files of /api/docs: the default is a CDN, which our CSP blocks
    "corsheaders",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "queueing",  # before django_q, so that its qcluster command is used
    "django_q",
    "chat",
    "chat.accounts",
    "chat.analytics",
    "chat.care",
    "chat.documents",
    "chat.uploads",
    "chat.usage",
    "chat.voice",
]

MIDDLEWARE = [
    "buddy.web.middleware.Security",
    "buddy.web.middleware.ContentSecurityPolicy",
    "servestatic.middleware.ServeStaticMiddleware",
    "buddy.web.no_store.no_store",
    "chat.accounts.personal_data.late_writes.erase_late_writes",
    "chat.accounts.access.middleware.sessions.VisitorSessionMiddleware",
    "buddy.web.middleware.Common",
    "buddy.web.middleware.Csrf",
    "buddy.web.middleware.Authentication",
    "chat.accounts.access.middleware.gate.GateMiddleware",
    "chat.accounts.access.middleware.streams.end_streams",
    "buddy.web.middleware.Messages",
    "buddy.web.middleware.XFrameOptions",
    "chat.accounts.access.middleware.tries.TriesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
if CORS_ALLOWED_ORIGINS:
    MIDDLEWARE.insert(0, "corsheaders.middleware.CorsMiddleware")

ROOT_URLCONF = "buddy.urls"
ASGI_APPLICATION = "buddy.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "buddy.site.context",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, by digests of their keys, with copies in Redis that last for seconds: no user is signed out
# when Redis loses its data.
SESSION_ENGINE = "chat.accounts.access.sessions.store"
_DAY = 60 * 60 * 24
#: Seconds after which a session ends: a visitor's after the last visit, a user's after signing in.
SESSION_COOKIE_AGE = round(_DAY * env.float("SESSION_DAYS", default=90, at_least=0.01))
#: Seconds without use after which the session of a user ends.
SESSION_IDLE_SECONDS = round(_DAY * env.float("SESSION_IDLE_DAYS", default=30, at_least=0.01))

# --- static files and security -------------------------------------------------------------------------
STATIC_URL = "/static/"
#: The directory that `collectstatic` fills.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or VAR_DIR / "static")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Static files are public: a web server that runs as another user may serve STATIC_ROOT.
    "staticfiles": {
        "BACKEND": "buddy.storage.ModuleStorage",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
SERVESTATIC_USE_FINDERS = DEBUG
#: Also the files of other releases: pages opened before an upgrade or a roll back still name them.
SERVESTATIC_USE_STATIC_ROOT = not DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# Monitors ask by address and over http (buddy/web/middleware.py). A redirect would look like a good answer.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
#: Seconds for which a browser uses only https after a visit. No one can take that back before they are over.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600) * HTTPS
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
# Subdomains are those of the whole organisation, and preloading lasts for months: both are for it to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# These look for middlewares by Django's own names: `tests/attack/test_headers.py` looks at the answers.
SILENCED_SYSTEM_CHECKS += ["security.W001", "security.W002", "security.W003"]
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True


def is_relevant(record: LogRecord) -> bool:
    """Return False for the 503 answers of health checks: they are not errors of the server."""
    return getattr(getattr(record, "request", None), "path", "") not in ("/readyz", "/api/queue/status")


def drop_traceback(record: LogRecord) -> bool:
    """Leave the traceback of a wrong host name out: its line says all. Return True."""
    record.exc_info = None
    return True


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FORM = env.str("LOG_FORMAT", default="text", one_of=("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "relevant": {"()": "django.utils.log.CallbackFilter", "callback": is_relevant},
        "without_traceback": {"()": "django.utils.log.CallbackFilter", "callback": drop_traceback},
    },
    "formatters": {
        "text": {
            "class": "queueing.values.log_lines.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"class": "queueing.values.log_lines.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": _FORM,
            "filters": ["relevant"],
        },
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO", one_of=_LEVELS)},
    "loggers": {
        "django-q": {"level": "WARNING"},
        "django.security.DisallowedHost": {"filters": ["without_traceback"]},
    },
}

env.refuse_wrong_values()
