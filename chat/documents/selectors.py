"""Queries for reports. Plain functions; they block. Another owner's report does not exist."""

from dataclasses import dataclass
from uuid import UUID

from chat.models import Message, Role
from queueing.api import Job, State

from .analysis.report import escape_markdown
from .texts import report_filename


@dataclass(frozen=True)
class Report:
    """A finished report, as a file."""

    filename: str
    markdown: str


def report(*, owner: str, job_id: UUID) -> Report:
    """Return the report of a finished job. Raises `Message.DoesNotExist` without one, also before the end."""
    messages = {m.role: m for m in Message.objects.filter(job_id=job_id, thread__owner=owner)}
    question, answer = messages.get(Role.USER), messages.get(Role.ASSISTANT)
    attachment = (question.attachment or {}) if question else {}
    # The engine deletes the rows of old finished jobs; the report stays with the conversation.
    finished = not Job.objects.filter(id=job_id).exclude(state=State.COMPLETED).exists()
    if not (question and answer and answer.content and finished and attachment.get("kind") == "document"):
        raise Message.DoesNotExist("there is no such report")
    name = attachment["name"]
    heading = f"# {escape_markdown(name)}\n\n{escape_markdown(question.content)}\n\n"
    return Report(filename=_filename(name), markdown=heading + answer.content + "\n")


def _filename(name: str) -> str:
    """Return a file name that every operating system accepts."""
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in name).strip(" .")
    return report_filename(stem)
