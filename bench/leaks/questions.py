"""Questions that wait for their answers, stored in few statements."""

from typing import Any


def make_questions(count: int) -> None:
    """Store questions of many owners, each with the empty reply that its job fills, and put them in line."""
    from django.db import transaction
    from django.utils import timezone

    from chat.models import Message, Thread
    from queueing.api import new_id
    from queueing.models import Job
    from queueing.record.job_spec import JobSpec
    from queueing.schedule.enqueue import enqueue_all

    jobs, threads, messages = [], [], []
    for number in range(count):
        owner, question, reply = f"b:{number % 500}", new_id(), new_id()
        spec = JobSpec(kind="chat.reply", owner=owner, request_id=new_id().hex)
        job = spec.build({"reply_id": reply.hex})
        thread = Thread(owner=owner, companion="travel", title="Lisbon?", updated_at=timezone.now())
        fields: dict[str, Any] = {"thread": thread, "job_id": job.id, "created_at": timezone.now()}
        messages += [
            Message(id=question, role="user", content="Lisbon?", **fields),
            Message(id=reply, role="assistant", **fields),
        ]
        jobs.append(job)
        threads.append(thread)
    with transaction.atomic():
        Thread.objects.bulk_create(threads, batch_size=500)
        Message.objects.bulk_create(messages, batch_size=500)
        Job.objects.bulk_create(jobs, batch_size=500)
    enqueue_all(jobs)
