"""A small Django project around the engine alone: nothing of the chat is installed."""

import os
import tempfile

import django
import environ

from tests.support.queues import QUEUES, TIMES
from tests.support.queues import TASKS as FUNCTIONS

env = environ.Env()
os.environ.setdefault("TEST_VAR", tempfile.mkdtemp(prefix="queueing-tests-"))

SECRET_KEY = "only-for-tests-" + "x" * 40
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.queueing.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = env.bool("TEST_USE_TZ", default=True)
TIME_ZONE = env.str("TEST_TIME_ZONE", default="America/Chicago")
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "queueing",
    "django_q",
    "tests.queueing.testapp",
    *(["django_tasks"] if django.VERSION < (6, 0) else []),  # the backport registers its checks
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{os.environ['TEST_VAR']}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, not memory: workers in other processes read it, too.
    DATABASES["default"]["TEST"] = {"NAME": f"{os.environ['TEST_VAR']}/test.sqlite3"}

#: Unreachable unless a test takes the `valkey` fixture.
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:1/0")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "queueing.events.channel_layer.PubSubLayer",
        "CONFIG": {"hosts": [REDIS_URL.replace("redis+cluster://", "redis://")], "prefix": "buddy"},
    }
}
Q_CLUSTER = {
    "name": "queueing",
    "broker_class": "queueing.worker.django_q.broker.RedisBroker",
    "workers": env.int("QUEUE_WORKERS", default=1),
    "timeout": 300,
    "retry": 360,
    "save_limit": 250,
    "label": "Django-Q2",
    "catch_up": False,
}
QUEUEING = {
    "REDIS_URL": REDIS_URL,
    "PREFIX": "buddy",
    "PRELOAD": ("tests.queueing.testapp.preloaded",),
    "QUEUES": QUEUES | {"default": QUEUES["test"]},
    "TASKS": FUNCTIONS,
    "HEALTH_FILE": env.str("HEALTH_FILE", default=""),
    **TIMES,
}
#: `alone` has no queues of its own: every queue of the engine is valid for it.
TASKS = {
    "default": {
        "BACKEND": "queueing.tasks.QueueingBackend",
        "QUEUES": ["default", "test", "test-narrow"],
    },
    "alone": {"BACKEND": "queueing.tasks.QueueingBackend", "QUEUES": []},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
