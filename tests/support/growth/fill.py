"""Fill all tables that grow, in the proportions of a site that has run for some weeks."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chat.accounts.models import ErasedOwner, Token, UserSession
from chat.analytics.models import Event, Feedback, Rollup, Visit
from chat.conversations.messages import NewMessage
from chat.conversations.searching.folding import RULES
from chat.conversations.services import submit_question
from chat.documents.models import Analysis
from chat.models import FoldedText, Message, Rendering, Thread
from chat.uploads.models import Upload
from chat.usage.models import BudgetReservation, DailyUsage, ModelCall
from queueing.api import Job, new_id

from . import engine_rows
from .rows import Sequence, choose, moment, repeat

#: Characters of an answer.
_ANSWER = "The city lies on seven hills above a wide river. " * 6


@dataclass(frozen=True)
class Size:
    """The numbers of rows."""

    jobs: int
    messages: int
    threads: int

    @property
    def pairs(self) -> int:
        """The number of questions, each with its answer."""
        return self.messages // 2

    @property
    def owners(self) -> int:
        """The number of visitors and users."""
        return max(100, self.threads // 5)


class Site:
    """The SQL for the rows of a site of a size. One owner, `large`, has a twentieth of all conversations."""

    def __init__(self, size: Size, large: str) -> None:
        self.size, self.large = size, large
        self.threads = Sequence(size.threads)
        self.jobs = Sequence(size.jobs)
        # The last thread has a hundredth of all messages, and belongs to `large`.
        self.thread_of_pair = choose(
            {"mod(nth, 100) = 0": str(size.threads)}, f"1 + mod(nth, {size.threads})"
        )

    def owner(self, nth: str = "nth") -> str:
        """Return SQL for the owner of a thread."""
        others = f"'s:' || mod({nth}, {self.size.owners})"
        return choose({f"mod({nth}, 20) = 0": f"'{self.large}'"}, others)


def fill(size: Size, large: str) -> None:
    """Fill the tables. The owner `large` has a twentieth of the conversations."""
    site = Site(size, large)
    model = submit_question(NewMessage(owner="model", companion="travel", text="Lisbon?", request_id="model"))
    _conversations(site, Thread.objects.get(owner="model"))
    engine_rows.fill(site.jobs, Job.objects.get(id=model.job.id), _owner_of_job(site), site.size.pairs)
    _usage(site)
    _accounts(site)
    _analytics(site)


def _owner_of_job(site: Site) -> str:
    return choose({f"nth <= {site.size.pairs}": site.owner(f"({site.thread_of_pair})")}, "''")


def _conversations(site: Site, thread: Thread) -> None:
    size, threads, jobs = site.size, site.threads, site.jobs
    repeat(
        thread,
        size.threads,
        id=threads.id(),
        owner=site.owner(),
        companion=choose({"mod(nth, 3) = 0": "'corporate'"}, "'travel'"),
        title="'Lisbon ' || nth",
        created_at=threads.at(),
        updated_at=threads.at(after=60),
    )
    question, answer = Message.objects.filter(thread=thread).order_by("id")
    Message.objects.filter(id=answer.id).update(content=_ANSWER)
    for row, part in ((question, "0"), (answer, "1")):
        times = {"id": jobs.id(part=part), "created_at": jobs.at()}
        repeat(row, size.pairs, **times, thread_id=threads.id(site.thread_of_pair), job_id=jobs.id())
    folded = FoldedText.objects.create(message=question, rules=RULES, text="lisbon?" + "x" * 80)
    # Who searches has all messages folded: here, `large` has searched.
    repeat(folded, size.pairs, where=f"mod({site.thread_of_pair}, 20) = 0", message_id=jobs.id())
    folded = FoldedText.objects.create(message=answer, rules=RULES, text=_ANSWER.lower())
    repeat(folded, size.pairs, where=f"mod({site.thread_of_pair}, 20) = 0", message_id=jobs.id(part="1"))
    html = Rendering.objects.create(message=answer, digest="d" * 32, html=f"<p>{_ANSWER}</p>")
    repeat(html, size.pairs, where="mod(nth, 2) = 0", message_id=jobs.id(part="1"))
    opinion = Feedback.objects.create(message_id=answer.id, owner="model", companion="travel", up=True)
    times = {"created_at": jobs.at(), "updated_at": jobs.at()}
    owner = site.owner(f"({site.thread_of_pair})")
    repeat(opinion, size.pairs, where="mod(nth, 50) = 1", message_id=jobs.id(part="1"), owner=owner, **times)


def _usage(site: Site) -> None:
    now, jobs, pairs = timezone.now(), site.jobs, site.size.pairs
    owner = site.owner(f"({site.thread_of_pair})")
    call = ModelCall.objects.create(
        job_id=new_id(),
        thread_id=new_id(),
        owner="model",
        companion="travel",
        kind="chat.reply",
        model="m",
        cost=9,
    )
    thread_id = site.threads.id(site.thread_of_pair)
    repeat(
        call, pairs, id=jobs.id(), job_id=jobs.id(), thread_id=thread_id, owner=owner, created_at=jobs.at()
    )
    for age in range(5):
        day = DailyUsage.objects.create(owner="model", day=(now - timedelta(days=age)).date(), calls=3)
        repeat(day, site.size.owners, owner="'s:' || nth")
    reservation = BudgetReservation.objects.create(job_id=new_id(), owner="model", day=now.date())
    repeat(reservation, 500, job_id=jobs.id(), owner=owner)
    upload = Upload.objects.create(owner="model", name="a.txt", size=1, media_type="text/plain")
    repeat(upload, pairs // 100, id=jobs.id(), owner=owner, job_id=jobs.id(), created_at=jobs.at())
    reply = Message.objects.filter(role="assistant").order_by("id").last()
    analysis = Analysis.objects.create(reply_id=reply.id, name="a.txt", kind="text", size=1, text="x" * 500)
    repeat(analysis, pairs // 100, reply_id=jobs.id(part="1"), created_at=jobs.at())


def _accounts(site: Site) -> None:
    owners, soon = site.size.owners, timezone.now() + timedelta(days=10)
    other = User.objects.create_user("model")
    repeat(other, owners, username="'user' || nth")
    user = "model.user_id + nth"
    token = Token.objects.create(user=other, name="t", digest="d", prefix="p", scopes=["read"])
    repeat(token, owners, digest="'d' || nth", user_id=user)
    signed_in = UserSession.objects.create(user=other, session_key="k")
    repeat(signed_in, owners, session_key="'k' || nth", user_id=user)
    session = Session.objects.create(session_key="k", session_data="x" * 300, expire_date=soon)
    later = moment(f"{soon.timestamp():.0f} + nth")
    repeat(session, owners * 3, session_key="'k' || nth", expire_date=later)
    repeat(ErasedOwner.objects.create(digest="d"), owners // 20, digest="'d' || nth")


def _analytics(site: Site) -> None:
    seen, now = Sequence(site.size.pairs), timezone.now().replace(minute=0, second=0, microsecond=0)
    event = Event.objects.create(at=now, name="page.opened", visitor="model", companion="travel")
    name = choose({"mod(nth, 4) = 0": "'message.sent'"}, "'page.opened'")
    repeat(event, seen.rows, at=seen.at(), name=name, visitor="'v' || mod(nth, 5000)")
    sums = Rollup.objects.create(seconds=3600, start=now, name="reply.completed", companion="travel", count=9)
    hour = moment(f"{now.timestamp():.0f} - nth * 3600")
    repeat(sums, 48, start=hour)
    for companion in ("", "travel"):
        visit = Visit.objects.create(companion=companion, day=now.date(), visitor="model")
        repeat(visit, site.size.owners, visitor="'v' || nth")
