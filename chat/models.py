"""Conversations. They belong to the visitor, and stay until the visitor deletes them."""

from django.db import models
from django.db.models import Q

from queueing.api import new_id


class Role(models.TextChoices):
    """The author of a message, in the model's words."""

    USER = "user"
    ASSISTANT = "assistant"


class Thread(models.Model):
    """A conversation between one owner and one companion."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.CharField(max_length=64)
    """A key of `chat.accounts.access.owners`."""
    companion = models.CharField(max_length=32)
    title = models.CharField(max_length=120)
    has_custom_title = models.BooleanField(default=False)
    """True once the owner has chosen the title: then only the owner changes it."""
    summary = models.TextField(blank=True)
    """A summary up to `summarized_through`: the model gets it in place of messages that no longer fit."""
    summarized_through = models.UUIDField(null=True)
    """The last message that the summary covers."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField()
    """When the last message was added, or a reply ended."""

    class Meta:
        ordering = ["-updated_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-updated_at", "-id"], name="thread_newest_of_owner"),
            models.Index(fields=["companion"], name="thread_of_companion"),
        ]

    def __str__(self) -> str:
        return f"{self.companion} thread {self.id.hex}"


class ThreadName(models.Model):
    """The name that a client uses for a thread instead of its id, such as `thread_123`.

    The same name means another thread for each owner and companion.
    """

    owner = models.CharField(max_length=64)
    companion = models.CharField(max_length=32)
    name = models.CharField(max_length=64)
    thread = models.OneToOneField(Thread, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "companion", "name"], name="thread_name_once_per_owner")
        ]

    def __str__(self) -> str:
        return f"name of thread {self.thread_id.hex}"


class Message(models.Model):
    """One message. A reply exists, empty, from the moment its question is accepted: its job fills it.

    A typed question and its reply share a job; a recording has the job that transcribes it. A message's
    status is its job's. The job is named, not referenced: the engine may prune finished jobs, and the
    conversation must outlive them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=9, choices=Role.choices)
    content = models.TextField(blank=True)
    """Markdown. A reply is empty until its job ends, then it is the answer, or the part that was written."""
    is_incomplete = models.BooleanField(default=False, db_default=False)
    """True for a reply of which `content` is only the beginning: it was stopped, or it failed. The job says
    so too, but may be pruned."""
    created_at = models.DateTimeField(auto_now_add=True)
    job_id = models.UUIDField()
    parent_id = models.UUIDField(null=True)
    """The message that this one follows, see `chat.branches.tree`. Named, not referenced: what is removed is
    replaced by its own parent."""
    is_chosen = models.BooleanField(default=True, db_default=True)
    """Whether the message is on the branch that the owner sees and the model reads."""
    attachment = models.JSONField(null=True)
    """What came with a question, as clients see it: `{"kind": "audio" | "document", "name": …, …}`."""

    class Meta:
        # Ids are UUIDv7: they sort by time, and strictly increase within a thread, so that a reply comes
        # after its question.
        ordering = ["id"]
        indexes = [
            models.Index(fields=["thread", "id"], name="message_in_thread"),
            models.Index(fields=["thread"], condition=Q(is_chosen=False), name="message_not_chosen"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job_id", "role"], name="message_once_per_job_and_role"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="message_role_known"),
            models.CheckConstraint(
                # A recording has no text until it is transcribed.
                condition=~Q(role=Role.USER, content="", attachment__isnull=True),
                name="message_question_not_empty",
            ),
        ]
        permissions = [("view_message_content", "Can read messages of visitors and companions")]

    def __str__(self) -> str:
        return f"{self.role} message {self.id.hex}"


class Rendering(models.Model):
    """The HTML of a message, kept so that it is rendered once. A deleted row is made again when it is read.

    A table of its own: the prompt, the search and the export read messages without their HTML.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True)
    digest = models.CharField(max_length=32)
    """Of the content and of the code that rendered it: the HTML of another digest is out of date."""
    html = models.TextField()

    def __str__(self) -> str:
        return f"HTML of message {self.pk.hex}"


class FoldedText(models.Model):
    """What a search compares of a message, kept so that it is folded once. A search makes missing rows.

    Only of complete messages. Who changes the text of one deletes its row.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="folded")
    rules = models.PositiveSmallIntegerField()
    """The `chat.conversations.searching.folding.RULES` by which it was folded."""
    text = models.TextField()

    def __str__(self) -> str:
        return f"folded text of message {self.pk.hex}"
