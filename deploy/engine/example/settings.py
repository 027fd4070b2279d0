"""The settings of a project that has only Django's administration and the queue."""

import os

DEBUG = True
SECRET_KEY = "of-the-example-only"  # noqa: S105
ROOT_URLCONF = "urls"
STATIC_URL = "static/"
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions")]
INSTALLED_APPS += ["django.contrib.messages", "django.contrib.staticfiles", "queueing", "django_q", "hello"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
PROCESSORS = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
PROCESSORS += ["django.contrib.messages.context_processors.messages"]
BACKEND = "django.template.backends.django.DjangoTemplates"
TEMPLATES = [{"BACKEND": BACKEND, "APP_DIRS": True, "OPTIONS": {"context_processors": PROCESSORS}}]
OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 30}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "OPTIONS": OPTIONS}}

QUEUEING = {
    "REDIS_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    "QUEUES": {"default": {"concurrency": 4, "attempts": 3}},
}
