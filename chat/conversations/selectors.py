"""Read conversations and their jobs. Plain functions; they block.

Each takes the owner; a row of another owner does not exist for it.
"""

from uuid import UUID

from chat.models import Message, Role, Thread
from queueing.api import UNFINISHED, Job, State


def thread(*, owner: str, thread_id: UUID) -> Thread:
    """Return one thread, or raise `Thread.DoesNotExist`."""
    return Thread.objects.get(owner=owner, id=thread_id)


def question(*, owner: str, message_id: UUID) -> Message:
    """Return one of the owner's questions with its thread, or raise `Message.DoesNotExist`."""
    found = Message.objects.select_related("thread").filter(role=Role.USER, thread__owner=owner)
    return found.get(id=message_id)


def reply(*, owner: str, message_id: UUID) -> Message:
    """Return one of the replies to the owner with its thread, or raise `Message.DoesNotExist`."""
    found = Message.objects.select_related("thread").filter(role=Role.ASSISTANT, thread__owner=owner)
    return found.get(id=message_id)


def job(*, owner: str, job_id: UUID) -> Job:
    """Return one job, or raise `Job.DoesNotExist`."""
    return Job.objects.get(owner=owner, id=job_id)


def unfinished_jobs(thread: Thread) -> list[Job]:
    """Return the unfinished jobs that write replies in this thread."""
    ids = thread.messages.filter(role=Role.ASSISTANT).values("job_id")
    return list(Job.objects.filter(id__in=ids, state__in=UNFINISHED))


def status_of(job: Job) -> str:
    """Return the job's state for its owner: a job that waits for another is not `delayed`, as a retry is."""
    return str(State.WAITING if job.unfinished_parents else job.state)
