"""All settings, read from the environment, `.env` and `var/local.env` (environment.py), in this order.

`.env.example` lists every variable.
"""

from logging import LogRecord
from pathlib import Path

from .companions import *  # noqa: F403 (these are settings as well)
from .database import DATABASES as DATABASES
from .environment import BASE_DIR, VAR_DIR, env, local_secret_key
from .queue import *  # noqa: F403

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret_key()
#: The public address, for example https://buddy.example.org. NEXT_PUBLIC_CLIENT_URL is its former name.
CLIENT_URL = env.str("CLIENT_URL", default=env.str("NEXT_PUBLIC_CLIENT_URL", default=""))
HTTPS = CLIENT_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [CLIENT_URL.rstrip("/")] if CLIENT_URL else []
#: Networks (or `unix`) of the proxies whose X-Forwarded-For is trusted (docs/limits.md).
TRUSTED_PROXIES = [proxy.strip() for proxy in env.list("TRUSTED_PROXIES", default=[])]

INSTALLED_APPS = [
    "daphne",  # before staticfiles: `runserver` then speaks WebSocket
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "buddy.storage.Collected",  # django.contrib.staticfiles
    "channels",
    "ninja",  # for the static files of /api/docs: the default is a CDN, which our CSP blocks
    "csp",
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
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "buddy.no_store.no_store",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chat.accounts.access.middleware.TriesMiddleware",
]

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
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, by digests of their keys: no user is signed out when Redis loses its data.
SESSION_ENGINE = "chat.accounts.access.session_store"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
SESSION_COOKIE_SAMESITE = "Lax"

# --- accounts ---------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# The first backend only counts. The hashers are Django's: they count where a form compares a password itself.
AUTHENTICATION_BACKENDS = [
    "chat.accounts.access.passwords.CountTries",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    f"chat.accounts.access.passwords.{name}PasswordHasher"
    for name in ("PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "Scrypt")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"
#: With a host, forgotten passwords can be reset by e-mail.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="buddy@localhost")

# --- static files and security -------------------------------------------------------------------------
STATIC_URL = "/static/"
#: The directory that `collectstatic` fills.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or VAR_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "buddy.storage.ModuleStorage"},
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
WHITENOISE_USE_FINDERS = DEBUG

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
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True


def is_relevant(record: LogRecord) -> bool:
    """Return False for the 503 answers of /readyz: they are not errors of the server."""
    return getattr(getattr(record, "request", None), "path", "") != "/readyz"


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"relevant": {"()": "django.utils.log.CallbackFilter", "callback": is_relevant}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["relevant"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django-q": {"level": "WARNING"}},
}
