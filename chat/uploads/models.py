"""Uploaded files, in the database: web and worker may be on different hosts, and share nothing else."""

from django.db import models

from queueing.api import new_id


class Upload(models.Model):
    """A file that somebody sent, until the job that needs it is done with it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.CharField(max_length=64)
    """A key of `chat.accounts.owners`."""
    name = models.CharField(max_length=120)
    """What the sender calls it, without folders; only ever shown, never a path."""
    size = models.PositiveIntegerField(default=0)
    """Bytes."""
    media_type = models.CharField(max_length=100, blank=True)
    """What its content is, for those who have looked; empty when nobody has."""
    job_id = models.UUIDField(null=True)
    """The job that reads it. While that is unfinished, the sweep leaves the file alone."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="upload_oldest"),
            models.Index(fields=["owner"], name="upload_of_owner"),
            models.Index(fields=["job_id"], name="upload_of_job"),
        ]

    def __str__(self) -> str:
        return f"upload {self.id.hex}"


class UploadChunk(models.Model):
    """A piece of a file: rows of a megabyte are easy on every database."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="upload_chunk_once")]

    def __str__(self) -> str:
        return f"{self.upload_id.hex} {self.number}"
