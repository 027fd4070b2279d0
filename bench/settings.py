"""Settings of the engine alone, with its own defaults. The queue accepts all jobs."""

import os

SECRET_KEY = "only-for-measuring"
INSTALLED_APPS = ["queueing", "django_q", "bench"]
USE_TZ, TIME_ZONE = True, "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_DATABASE"],
        # As in buddy/settings/.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
Q_CLUSTER = {
    "name": "bench",
    "broker_class": "queueing.worker.django_q.broker.RedisBroker",
    "workers": int(os.environ.get("BENCH_WORKERS", "1")),
    "timeout": 300,
    "retry": 360,
}
QUEUEING = {
    "REDIS_URL": os.environ["BENCH_REDIS"],
    "PREFIX": "bench",
    "TASKS": ("bench.dashboard.nap",),
    "QUEUES": {
        "bench": {
            "concurrency": int(os.environ.get("BENCH_CONCURRENCY", "1000")),
            "soft_limit": 10_000_000,
            "hard_limit": 10_000_000,
            "owner_limit": 0,
        },
    },
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
