"""Settings of Redis and of the queues."""

from .environment import env, with_password

REDIS_URL = with_password(
    env.str("REDIS_URL", default="redis://127.0.0.1:6379/0"), env.str("REDIS_PASSWORD", default="")
)
# The layer connects to the Redis of QUEUEING.
CHANNEL_LAYERS = {
    "default": {"BACKEND": "queueing.events.channel_layer.PubSubLayer", "CONFIG": {"prefix": "buddy"}}
}

#: Clients with this token can read /metrics (docs/metrics.md). If empty, only staff can.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

#: Where unexpected errors are reported (buddy/error_reports.py).
SENTRY_DSN = env.str("SENTRY_DSN", default="")

#: Who receives health warnings, and from which level on (docs/monitoring.md).
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
ALERT_SLACK_URL = env.str("ALERT_SLACK_URL", default="")
ALERT_LEVEL = env.str("ALERT_LEVEL", default="warning", one_of=("warning", "critical"))

#: A network (an IPv4 address, or an IPv6 /64) may have the open questions and the budget of this many
#: visitors without accounts.
VISITORS_PER_NETWORK = env.int("VISITORS_PER_NETWORK", default=10, at_least=1)

Q_CLUSTER = {
    "name": "buddy",
    "broker_class": "queueing.worker.django_q.broker.RedisBroker",
    "workers": env.int("QUEUE_WORKERS", default=1, at_least=1),
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
    "OWNERS_PER_SHARE": VISITORS_PER_NETWORK,
    "PRELOAD": ("openai", "aiohttp"),
    "VERSION": env.str("RELEASE", default=""),
    "TRACES": env.bool("TRACES", default=False),
    "HEALTH_FILE": env.str("HEALTH_FILE", default=""),
    # The project has no tasks of Django-Q2. An installation can name its own functions.
    "TASKS": tuple(env.list("QUEUE_TASKS", default=[])),
    # A provider is one model of one server: `openai` is OPENAI_MODEL, which has limits of its own.
    # The names of the fields are those of Bull. Most have an environment variable such as
    # QUEUE_OPENAI_CHAT_CONCURRENCY=10; queueing/conf.py lists them.
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
            "provider": "openai-transcription",
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
            # A long document needs many calls. An attempt continues after the finished calls.
            "timeout": 1800,
            "patience": 3600.0,
            "keep": (20, 10),
        },
        # Codes, links and notices by e-mail. A mail waits for its server until what it says has expired
        # (chat/accounts/mail.py).
        "mail": {
            "provider": "mail",
            "priority": 1,
            "concurrency": 3,
            "attempts": 8,
            "backoff": {"type": "exponential", "delay": 5},
            "timeout": 60.0,
            "patience": 86_400.0,
            # Mails have no owner. While the server is unavailable, all of them wait.
            "owner_limit": 0,
            "soft_limit": 10_000,
            "hard_limit": 10_000,
            "keep": (50, 50),
        },
        # Titles and summaries. No user waits for them, so they have the lowest priority. They have no owner.
        # When the queue is full, no more are added.
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
