"""What can be read of reports. Plain functions; they block. Somebody else's does not exist."""

from dataclasses import dataclass
from uuid import UUID

from chat.models import Message, Role
from queueing.api import Job, State

from .report import literal


@dataclass(frozen=True)
class Report:
    """A finished report, as a file."""

    filename: str
    markdown: str


def report(*, owner: str, job_id: UUID) -> Report:
    """The report that a job has written, or `Message.DoesNotExist`, also while it is being written."""
    said = {m.role: m for m in Message.objects.filter(job_id=job_id, thread__owner=owner)}
    question, answer = said.get(Role.USER), said.get(Role.ASSISTANT)
    about = (question.attachment or {}) if question else {}
    # The engine forgets old jobs, finished ones only; the report stays with the conversation.
    over = not Job.objects.filter(id=job_id).exclude(state=State.COMPLETED).exists()
    if not (question and answer and answer.content and over and about.get("kind") == "document"):
        raise Message.DoesNotExist("there is no such report")
    name = about["name"]
    head = f"# {literal(name)}\n\n{literal(question.content)}\n\n"
    return Report(filename=_filename(name), markdown=head + answer.content + "\n")


def _filename(name: str) -> str:
    """One that every system takes."""
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in name).strip(" .")
    return f"Report on {stem or 'document'}.md"
