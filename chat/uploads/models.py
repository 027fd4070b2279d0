"""Uploaded files. They are in the database, the only store that web and worker hosts share."""

from django.db import models

from queueing.api import new_id


class Upload(models.Model):
    """An uploaded file, kept until the job that reads it is finished."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.CharField(max_length=64)
    """A key of `chat.accounts.access.owners`."""
    name = models.CharField(max_length=120)
    """The name that the sender gave it, without folders. It is only displayed, and never used as a path."""
    size = models.PositiveIntegerField(default=0)
    """Bytes."""
    media_type = models.CharField(max_length=100, blank=True)
    """The type of the content, where it was detected; else empty."""
    job_id = models.UUIDField(null=True)
    """The job that reads the file. The sweep keeps the file while this job is unfinished."""
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
    """A part of a file: every database handles rows of a megabyte well."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="upload_chunk_once")]

    def __str__(self) -> str:
        return f"{self.upload_id.hex} {self.number}"
