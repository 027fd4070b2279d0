"""What staff and monitoring ask of the site: the dashboard, the lists of the admin, the analytics."""

from django.conf import settings
from django.test import Client
from django.urls import reverse

from chat.models import Message, Thread
from queueing.api import Job, State

from .visits import Visits

#: Model -> queries of its list: filters, and searches.
_LISTS = {
    "queueing_job": [
        "",
        "p=100",
        *(f"state={state}" for state in State),
        "state=failed&queue=openai-chat",
        "state=completed&queue=openai-chat",
        "kind=chat.reply",
        "kind=thread.title",
        "days=1",
        "q={job}",
        "q={owner}",
        "q=timeout1",
    ],
    "queueing_auditentry": ["", "queue=openai-chat", "action=pause", "q=model", "q={job}"],
    "chat_thread": ["", "companion=corporate", "companion=culture", "q={owner}", "q={thread}", "o=3"],
    "chat_message": [
        "",
        "role__exact=user",
        "companion=culture",
        "q={message}",
        "q={job}",
        "q={thread}",
        "o=2",
    ],
    "usage_modelcall": ["", "companion=culture", "estimated__exact=1", "q={job}", "q={owner}", "q={thread}"],
    "usage_dailyusage": ["", "q={owner}"],
    "analytics_event": ["", "name=reply.failed", "name=page.opened", "companion=culture"],
    "analytics_feedback": ["", "up__exact=0", "companion=culture", "q={message}"],
    "auth_user": ["", "q=user77", "is_staff__exact=1"],
    "account_emailaddress": ["", "q=user77"],
    "accounts_block": ["", "q={owner}"],
    "accounts_invitation": [""],
    "django_q_success": ["", "q=model"],
    "django_q_failure": ["", "q=model"],
}
_PAGES = ["/admin/", "/admin/queue", "/admin/queue?queue=openai-chat", "/metrics"]
#: They show figures of a time, and read all rows of that time.
_FIGURES = [
    "/admin/queue?span=24h",
    "/admin/queue?span=7d",
    "/admin/queue?span=90d",
    "/admin/analytics/",
    "/admin/analytics/?span=90d",
]


def figures(client: Client) -> Visits:
    """Return the requests of a superuser for figures of a time."""
    return {page: lambda page=page: client.get(page) for page in _FIGURES}


def readings(client: Client, owner: str) -> Visits:
    """Return the other requests of a superuser; the searches are for something of `owner`."""
    thread = Thread.objects.filter(owner=owner).order_by("-updated_at")[0]
    message = Message.objects.filter(thread=thread).order_by("-id")[0]
    ids = {"thread": thread.id, "message": message.id, "job": message.job_id, "owner": owner}
    failed = Job.objects.filter(queue="openai-chat", state=State.FAILED).order_by("-id")[0]
    paths = {page: page for page in _PAGES}
    for model, queries in _LISTS.items():
        address = reverse(f"admin:{model}_changelist")
        for query in queries:
            paths[f"{address}?{query}"] = f"{address}?{query.format(**ids)}"
    for name, model, key in (
        ("a failed job", "queueing_job", failed.pk),
        ("a thread", "chat_thread", thread.pk),
        ("a message", "chat_message", message.pk),
    ):
        paths[f"admin: {name}"] = reverse(f"admin:{model}_change", args=[key])
    headers = {"authorization": f"Bearer {settings.METRICS_TOKEN}"} if settings.METRICS_TOKEN else {}
    return {name: lambda path=path: client.get(path, headers=headers) for name, path in paths.items()}
