"""All settings, read from the environment, `.env`, and `var/local.env`, in that order of precedence.

`var/local.env` is written by `make run` and names the embedded services, so that pieces started by
hand (`manage.py qcluster`, `manage.py runserver`) find them. `.env.example` lists every variable.
"""

import io
import os
import secrets
from logging import LogRecord
from pathlib import Path
from urllib.parse import quote

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"))
if (VAR_DIR / "local.env").is_file():
    # Who names a model of their own wants nothing of the embedded one, least of all its address.
    own_model = os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL")
    embedded = (VAR_DIR / "local.env").read_text().splitlines()
    env.read_env(io.StringIO("\n".join(line for line in embedded if not own_model or "REDIS_URL" in line)))


def local_secret_key() -> str:
    """A key made once and kept under var/, so that a clone runs without one and sessions survive."""
    path = VAR_DIR / "secret_key"
    if not path.is_file():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret_key()
#: Where people reach us, for example https://buddy.example.org; the reference design's name is kept.
CLIENT_URL = env.str("CLIENT_URL", default=env.str("NEXT_PUBLIC_CLIENT_URL", default=""))
HTTPS = CLIENT_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [CLIENT_URL.rstrip("/")] if CLIENT_URL else []
#: Networks (or `unix`) of the proxies whose X-Forwarded-For is believed; chat/addresses.py, docs/limits.md.
TRUSTED_PROXIES = [proxy.strip() for proxy in env.list("TRUSTED_PROXIES", default=[])]

INSTALLED_APPS = [
    "daphne",  # before staticfiles: `runserver` then speaks WebSocket
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",  # for the static files of /api/docs: its default is a CDN, which our CSP rightly blocks
    "csp",
    "queueing",  # before django_q: its qcluster command is the one to run
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
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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

# --- the record -----------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL: readers and the writer do not block each other. IMMEDIATE: a transaction that will write
    # takes its lock at the start, where it can wait, not in the middle, where it can only fail.
    DATABASES["default"]["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A pool, since requests run in ever other threads, where persistent connections would pile up.
    DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": env.int("DB_POOL", default=10)}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: the schedule, events, cache, sessions --------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_PASSWORD = env.str("REDIS_PASSWORD", default="")
if REDIS_PASSWORD and "@" not in REDIS_URL:
    REDIS_URL = REDIS_URL.replace("://", f"://:{quote(REDIS_PASSWORD, safe='')}@", 1)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "queueing.layer.PubSubLayer",
        # redis+cluster:// is ours (queueing/redis.py). A cluster carries pub/sub whichever node one asks.
        "CONFIG": {"hosts": [REDIS_URL.replace("redis+cluster://", "redis://")], "prefix": "buddy"},
    }
}
# Only Django-Q2's status reports are cached; its own pages show them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "buddy",
    }
}
if REDIS_URL.startswith("redis+cluster://"):  # which Django's cache does not speak
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# In the database: a lost Redis logs nobody out, and an absent one does not stop a request.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
SESSION_COOKIE_SAMESITE = "Lax"

# --- the queue ------------------------------------------------------------------------------------
Q_CLUSTER = {
    "name": "buddy",
    "broker_class": "queueing.broker.RedisBroker",
    "workers": env.int("QUEUE_WORKERS", default=1),
    "timeout": 300,
    "retry": 360,
    "recycle": 0,
    "save_limit": 250,
    "ack_failures": True,
    "label": "Django-Q2",
    "catch_up": False,
}
QUEUEING = {
    "REDIS_URL": REDIS_URL,
    "PREFIX": "buddy",
    # Bull's words and the reference design's numbers. Each value has an environment override such as
    # QUEUE_OPENAI_CHAT_CONCURRENCY=10; queueing/conf.py says which.
    "QUEUES": {
        "analytics": {"priority": 1, "concurrency": 5, "attempts": 1, "keep": (1000, 500)},
        "openai-chat": {
            "provider": "openai",
            "priority": 2,
            "concurrency": 3,
            "attempts": 3,
            "backoff": {"type": "exponential", "delay": 2},
            "keep": (100, 50),
        },
        "audio-processing": {
            "provider": "openai",
            "priority": 3,
            "concurrency": 2,
            "attempts": 2,
            "backoff": {"type": "exponential", "delay": 5},
            "keep": (50, 25),
        },
        "large-requests": {
            "provider": "openai",
            "priority": 4,
            "concurrency": 2,
            "attempts": 5,
            "backoff": {"type": "exponential", "delay": 10},
            "limiter": {"max": 2, "duration": 60},
            # A long document is many calls, and goes on from those that are done.
            "timeout": 1800,
            "patience": 3600.0,
            "keep": (20, 10),
        },
        # Titles and summaries: nobody waits for them, so they stand in nobody's way. They have no owner,
        # and when there are too many, none is added.
        "background": {
            "provider": "openai",
            "priority": 5,
            "concurrency": 1,
            "attempts": 2,
            "backoff": {"type": "exponential", "delay": 10},
            "timeout": 120.0,
            "soft_limit": 500,
            "hard_limit": 500,
            "keep": (20, 20),
        },
    },
}

# --- the model ------------------------------------------------------------------------------------
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="")
#: auto | responses | chat; auto is Responses on OpenAI itself and chat completions elsewhere.
OPENAI_API = env.str("OPENAI_API", default="auto")
#: Tokens of instructions, conversation and answer together that the model is sent at most.
OPENAI_CONTEXT_TOKENS = env.int("OPENAI_CONTEXT_TOKENS", default=32_000)
#: The model that writes down voice messages; without one there are none. Where it answers is the same
#: place as for chat, unless an address of its own is named (with a key, if it wants one).
OPENAI_TRANSCRIPTION_MODEL = env.str("OPENAI_TRANSCRIPTION_MODEL", default="")
OPENAI_TRANSCRIPTION_BASE_URL = env.str("OPENAI_TRANSCRIPTION_BASE_URL", default="")
OPENAI_TRANSCRIPTION_API_KEY = env.str("OPENAI_TRANSCRIPTION_API_KEY", default="")
#: True when `make run` started the small local ear, which knows English only; the page says so.
DEMO_EAR = env.bool("BUDDY_DEMO_EAR", default=False)
#: Answers when the model above cannot (docs/usage.md); elsewhere, when it has an address of its own.
OPENAI_FALLBACK_MODEL = env.str("OPENAI_FALLBACK_MODEL", default="")
OPENAI_FALLBACK_BASE_URL = env.str("OPENAI_FALLBACK_BASE_URL", default="")
OPENAI_FALLBACK_API_KEY = env.str("OPENAI_FALLBACK_API_KEY", default="")
#: True when `make run` started the small local model; the page says so.
DEMO_MODEL = env.bool("BUDDY_DEMO_MODEL", default=False)
#: Whether the model finds titles for threads, after their first answer. The demo model's are bad.
THREAD_TITLES = env.bool("THREAD_TITLES", default=not DEMO_MODEL)
#: JSON: model -> what a million tokens (input, cached, output) and a minute of audio cost.
OPENAI_PRICES = env.str("OPENAI_PRICES", default="")
PRICE_CURRENCY = env.str("PRICE_CURRENCY", default="USD")
#: What one owner may use a day, in tokens and in money; 0 is no limit. Visitors who are not signed in
#: have the same, unless they have their own.
BUDGET_TOKENS_PER_DAY = env.int("BUDGET_TOKENS_PER_DAY", default=0)
BUDGET_COST_PER_DAY = env.float("BUDGET_COST_PER_DAY", default=0.0)
BUDGET_TOKENS_PER_DAY_ANONYMOUS = env.int("BUDGET_TOKENS_PER_DAY_ANONYMOUS", default=BUDGET_TOKENS_PER_DAY)
BUDGET_COST_PER_DAY_ANONYMOUS = env.float("BUDGET_COST_PER_DAY_ANONYMOUS", default=BUDGET_COST_PER_DAY)
#: The reference design's Assistants ended in August 2026; a system check explains what to do.
OPENAI_ASSISTANT_IDS = {
    companion: env.str(f"OPENAI_{companion.upper()}_ASSISTANT_ID", default="")
    for companion in ("corporate", "travel", "emotional", "culture")
}

# --- limits -----------------------------------------------------------------------------------------
#: How many messages one visitor, one user and one address may send, and how often an address may read
#: and try to sign in. Empty is no limit.
LIMITS = {
    "anonymous": env.str("LIMIT_ANONYMOUS", default="20/minute;200/hour"),
    "user": env.str("LIMIT_USER", default="40/minute;600/hour"),
    "address": env.str("LIMIT_ADDRESS", default="120/minute;2000/hour"),
    "read": env.str("LIMIT_READ", default="1200/minute"),
    "login": env.str("LIMIT_LOGIN", default="10/minute;60/hour"),
}
#: Seconds that a message over its limit is held; one that would have to wait longer is refused.
LIMIT_MAX_WAIT = env.int("LIMIT_MAX_WAIT", default=60)
#: Seconds for which an answer may be given again to the same question; 0 is never.
ANSWER_CACHE_SECONDS = env.int("ANSWER_CACHE_SECONDS", default=60 * 60 * 24)

# --- analytics --------------------------------------------------------------------------------------
#: Days that events and their sums are kept; 0 turns analytics off.
ANALYTICS_DAYS = max(0, env.int("ANALYTICS_DAYS", default=90))

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
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"
#: With a host, a forgotten password can be replaced by e-mail.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="buddy@localhost")

# --- care -------------------------------------------------------------------------------------------
#: Your own person for somebody in a crisis, as `Name <address>`; the address is https:, mailto: or tel:.
CARE_CONTACT = env.str("CARE_CONTACT", default="")
#: Messages, or minutes without a break, after which the page reminds that this is an AI; 0: never.
CARE_REMIND_MESSAGES = env.int("CARE_REMIND_MESSAGES", default=40)
CARE_REMIND_MINUTES = env.int("CARE_REMIND_MINUTES", default=60)

# --- what the browser gets -------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
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


def is_news(record: LogRecord) -> bool:
    """Not being ready yet is what /readyz is asked about; it is no error of ours."""
    return getattr(getattr(record, "request", None), "path", "") != "/readyz"


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": is_news}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["news"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django-q": {"level": "WARNING"}},
}
