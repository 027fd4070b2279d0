"""A document that is being read. Its rows are deleted when the report is complete."""

from django.db import models

from chat.models import Message


class Analysis(models.Model):
    """A document that is being read, with its progress. It is deleted with its reply and its thread."""

    reply = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="analysis")
    """The message that will hold the report."""
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8)
    """`pdf`, `docx`, `csv`, `md` or `txt`."""
    size = models.PositiveIntegerField()
    """Bytes of the file that was sent."""
    pages = models.PositiveIntegerField(null=True)
    columns = models.TextField(blank=True)
    """A table's first row."""
    skipped = models.JSONField(default=list)
    """Descriptions of what could not be read, each in a few words."""
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "analyses"
        indexes = [models.Index(fields=["created_at"], name="analysis_oldest")]

    def __str__(self) -> str:
        return f"analysis {self.reply_id.hex}"


class Chunk(models.Model):
    """The input of one model call, and its result, so that no call is made twice.

    On level 0 the input is a part of the text; on each higher level, a range of the notes of the level below.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="chunks")
    level = models.PositiveSmallIntegerField(default=0)
    start = models.PositiveIntegerField()
    """The first character of the text, or the first note of the level below."""
    end = models.PositiveIntegerField()
    result = models.JSONField(null=True)
    """The fields of `prompts.Findings` or `prompts.Digest`; null until the call is finished."""

    class Meta:
        ordering = ["level", "start"]
        constraints = [models.UniqueConstraint(fields=["analysis", "level", "start"], name="chunk_once")]

    def __str__(self) -> str:
        return f"{self.start}–{self.end} on level {self.level}"
