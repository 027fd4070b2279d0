"""The plans of the statements of visitors' requests: on neither database does one read a whole table (D4)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from chat.accounts.models import Token, UserSession
from chat.analytics.models import Event, Feedback
from chat.conversations.searching.folding import RULES
from chat.conversations.thread_list import Mark
from chat.documents.models import Analysis
from chat.models import FoldedText, Message, Rendering, Thread
from chat.uploads.models import Upload
from chat.usage.models import BudgetReservation, DailyUsage, ModelCall
from queueing.api import Job, new_id
from tests.chat.questions import submit_question
from tests.support.plans import numbers, statements, whole_reads

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "long-and-own-4711"
#: They ask the database nothing.
WITHOUT = ("/api/voice", "/api/companions")
#: The tables that grow with the visitors.
TABLES = [
    model._meta.db_table
    for model in (
        Job,
        Thread,
        Message,
        Rendering,
        FoldedText,
        ModelCall,
        DailyUsage,
        BudgetReservation,
        Upload,
        Analysis,
        Feedback,
        Event,
        Token,
        UserSession,
    )
]


def repeat(row: models.Model, **columns: str) -> None:
    """Copy a stored row many times; `columns` are SQL expressions of `number` for what differs."""
    table, names = row._meta.db_table, [field.column for field in row._meta.concrete_fields]
    key = row._meta.pk.column
    if key == "id" and isinstance(row._meta.pk, models.AutoField):
        names.remove("id")
    values = ", ".join(columns.get(name, f"model.{name}") for name in names)
    stored = row._meta.pk.get_db_prep_value(row.pk, connection)
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} model, {numbers()}"
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} WHERE model.{key} = %s", [stored])


def an_id(first: str) -> str:
    """Return SQL for the id with this first digit and the number at its end."""
    if connection.vendor == "postgresql":
        return f"('{first}' || lpad(to_hex(number), 31, '0'))::uuid"
    return f"printf('{first}%%031x', number)"


def fill() -> None:
    """Store conversations, usage, uploads and events of a thousand other visitors."""
    owner, now = "'owner' || mod(number, 1000)", timezone.now()
    accepted = submit_question(owner="model", companion="travel", text="Lisbon?", request_id="model")
    thread = Thread.objects.get(owner="model")
    repeat(thread, id=an_id("1"), owner=owner)
    question, answer = Message.objects.filter(thread=thread).order_by("id")
    job = accepted.job
    no = "false" if connection.vendor == "postgresql" else "0"
    repeat(
        job,
        id=an_id("2"),
        owner=owner,
        request_id="'r' || number",
        state="'completed'",
        has_dependents=no,
        finished_at="created_at",
    )
    repeat(question, id=an_id("3"), thread_id=an_id("1"), job_id=an_id("2"))
    repeat(answer, id=an_id("4"), thread_id=an_id("1"), job_id=an_id("2"))
    repeat(Rendering.objects.create(message=answer, digest="d", html="h"), message_id=an_id("4"))
    repeat(FoldedText.objects.create(message=question, rules=RULES, text="lisbon"), message_id=an_id("3"))
    call = ModelCall.objects.create(
        job_id=job.id,
        thread_id=thread.id,
        owner="model",
        companion="travel",
        kind="chat",
        model="m",
        created_at=now,
    )
    repeat(call, id=an_id("6"), job_id=an_id("2"), thread_id=an_id("1"), owner=owner)
    day = DailyUsage.objects.create(owner="model", day=now.date())
    repeat(day, owner="'owner' || number")
    reservation = BudgetReservation.objects.create(job_id=new_id(), owner="model", day=now.date(), tokens=1)
    repeat(reservation, job_id=an_id("2"), owner=owner)
    upload = Upload.objects.create(owner="model", name="a.txt", size=1, media_type="text/plain")
    repeat(upload, id=an_id("5"), owner=owner, job_id=an_id("2"))
    analysis = Analysis.objects.create(reply_id=answer.id, name="a.txt", kind="text", size=1, text="x")
    repeat(analysis, reply_id=an_id("4"))
    feedback = Feedback.objects.create(message_id=answer.id, owner="model", companion="travel", up=True)
    repeat(feedback, message_id=an_id("4"), owner=owner)
    other = User.objects.create_user("model")
    token = Token.objects.create(user=other, name="t", digest="d", prefix="p", scopes=["read"])
    repeat(other, username="'user' || number")
    repeat(token, digest="'d' || number", user_id="model.user_id + number")
    session = UserSession.objects.create(user=other, session_key="k")
    repeat(session, session_key="'k' || number", user_id="model.user_id + number")
    event = Event.objects.create(at=now - timedelta(minutes=1), name="page.opened", visitor="model")
    repeat(event)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def visits(client: Client, accepted: Any) -> dict[str, Any]:
    """What one visitor asks of the site, one request after the other."""
    thread, job, reply = accepted.thread_id, accepted.job.id.hex, accepted.reply_id
    place = str(Mark.after(Thread.objects.get(id=thread)))
    gets = (
        "/",
        f"/t/{thread}",
        "/account/",
        "/api/threads",
        "/api/threads?q=lisbon",
        "/api/threads?q=lisbon porto&again",  # what the search before has kept
        f"/api/threads?q=lisbon&before={place}",
        f"/api/threads?before={place}",
        f"/api/threads?before={thread}",
        f"/api/threads/{thread}",
        f"/api/threads/{thread}?before={reply}",
        f"/api/threads/{thread}?after={accepted.message_id}",
        f"/api/threads/{thread}?around={reply}",
        f"/api/threads/{thread}/transcript.md",
        f"/api/jobs/{job}",
        f"/api/jobs/{job}/thoughts",
        "/api/queue/status",
        "/api/usage",
        "/api/voice",
        "/api/companions",
        f"/api/analysis/{job}/report.md",
    )
    found: dict[str, Any] = {path: lambda path=path: client.get(path) for path in gets}
    body = {"content_type": "application/json"}
    found["ask"] = lambda: client.post(
        "/api/travel", {"message": "And Porto?", "threadId": thread, "requestId": "r-2"}, **body
    )
    found["ask again"] = lambda: client.post(
        "/api/travel", {"message": "And Porto?", "threadId": thread, "requestId": "r-2"}, **body
    )
    found["rename"] = lambda: client.patch(f"/api/threads/{thread}", {"title": "Portugal"}, **body)
    found["feedback"] = lambda: client.put(f"/api/messages/{reply}/feedback", {"value": "up"}, **body)
    found["cancel"] = lambda: client.delete(f"/api/jobs/{job}")
    found["withdraw"] = lambda: client.delete(f"/api/messages/{accepted.message_id}")
    found["delete"] = lambda: client.delete(f"/api/threads/{thread}")
    found["erase"] = lambda: client.post("/account/erase/", {"password": PASSWORD})
    return found


@pytest.mark.usefixtures("valkey", "either_database")
def test_requests_of_visitors_read_no_whole_table(settings: Any):
    settings.ANALYTICS_DAYS = 0
    fill()
    user = User.objects.create_user("alice", password=PASSWORD)
    client = Client()
    client.force_login(user)
    accepted = submit_question(owner=f"u:{user.pk}", companion="travel", text="Lisbon?", request_id="r-1")
    found: dict[str, list[str]] = {}
    for name, visit in visits(client, accepted).items():
        with statements() as made:
            response = visit()
        assert response.status_code < 500, name
        assert made or name in WITHOUT, name
        for sql, params in made:
            if lines := whole_reads(sql, params, TABLES):
                found[f"{name}: {sql[:400]}"] = lines
    assert not found, json.dumps(found, indent=1)
