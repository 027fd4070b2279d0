"""What can be read of conversations and their jobs. Plain functions; they block.

Each takes the owner, and somebody else's row does not exist for it.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q

from chat.models import Message, Role, Thread
from queueing.api import UNFINISHED, Job, State

#: Threads in one answer.
PAGE = 50


def thread(*, owner: str, thread_id: UUID) -> Thread:
    """One thread, or `Thread.DoesNotExist`."""
    return Thread.objects.get(owner=owner, id=thread_id)


def threads(*, owner: str, before: UUID | None = None) -> list[Thread]:
    """The owner's threads, newest first; with `before`, those that come after that thread in the list."""
    found = Thread.objects.filter(owner=owner)
    if before:
        last = thread(owner=owner, thread_id=before)
        found = found.filter(
            Q(updated_at__lt=last.updated_at) | Q(updated_at=last.updated_at, id__lt=last.id)
        )
    return list(found[:PAGE])


def question(*, owner: str, message_id: UUID) -> Message:
    """One of the owner's own messages, with its thread, or `Message.DoesNotExist`."""
    found = Message.objects.select_related("thread").filter(role=Role.USER, thread__owner=owner)
    return found.get(id=message_id)


def job(*, owner: str, job_id: UUID) -> Job:
    """One job, or `Job.DoesNotExist`."""
    return Job.objects.get(owner=owner, id=job_id)


def unfinished_jobs(of: Thread) -> list[Job]:
    """The jobs that still write replies in this thread."""
    ids = of.messages.filter(role=Role.ASSISTANT).values("job_id")
    return list(Job.objects.filter(id__in=ids, state__in=UNFINISHED))


def standing(job: Job) -> str:
    """The job's state for its owner: what waits for its turn is not `delayed`, as what is tried again is."""
    return str(State.WAITING if job.unfinished_parents else job.state)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message and how its job stands."""

    message: Message
    job: Job | None
    """None once the engine has forgotten it, which it does to finished jobs only."""

    @property
    def status(self) -> str:
        """How the job stands; a forgotten job was completed, as far as anyone need know."""
        return standing(self.job) if self.job else str(State.COMPLETED)

    @property
    def cached(self) -> bool:
        """Whether it is an answer that was given before."""
        return self.message.role == Role.ASSISTANT and bool(getattr(self.job, "cached", False))


def conversation(of: Thread) -> list[Said]:
    """All messages of a thread in order, each with its job."""
    found = Job.objects.defer("args", "result").annotate(cached=F("result__cached"))
    jobs: dict[UUID, Job | None] = {}
    messages: list[Message] = []
    ids = set(of.messages.values_list("job_id", flat=True))
    # Each job before its messages: then a reply whose job is over has its text, though it ended just now.
    while unknown := ids - jobs.keys():
        jobs |= dict.fromkeys(unknown) | found.in_bulk(unknown)
        messages = list(of.messages.all())
        ids = {message.job_id for message in messages}
    return [Said(message=message, job=jobs[message.job_id]) for message in messages]
