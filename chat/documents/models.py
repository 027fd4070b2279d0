"""A document while it is read. Once its report is there, nothing of it stays but the report."""

from django.db import models

from chat.models import Message


class Analysis(models.Model):
    """A document that is being read, and how far it is. It goes with its reply, and so with the thread."""

    reply = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="analysis")
    """The message that will hold the report."""
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8)
    """`pdf`, `docx`, `csv`, `md` or `txt`."""
    size = models.PositiveIntegerField()
    """Bytes, as it was sent."""
    pages = models.PositiveIntegerField(null=True)
    columns = models.TextField(blank=True)
    """A table's first row."""
    skipped = models.JSONField(default=list)
    """What of it could not be read, each in a few words."""
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "analyses"
        indexes = [models.Index(fields=["created_at"], name="analysis_oldest")]

    def __str__(self) -> str:
        return f"analysis {self.reply_id.hex}"


class Piece(models.Model):
    """A model call's worth of the work, and what came of it, so that no call is made twice.

    On level 0 it is a part of the text; on each level above, some of the lines that the level below ended in.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="pieces")
    level = models.PositiveSmallIntegerField(default=0)
    start = models.PositiveIntegerField()
    """Where it begins: a character of the text, or a line of the level below."""
    end = models.PositiveIntegerField()
    result = models.JSONField(null=True)
    """What was found, as `prompts.py` gives it; null until it is read."""

    class Meta:
        ordering = ["level", "start"]
        constraints = [models.UniqueConstraint(fields=["analysis", "level", "start"], name="piece_once")]

    def __str__(self) -> str:
        return f"{self.start}–{self.end} on level {self.level}"
