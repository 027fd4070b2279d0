"""Requests that submit a recording, and the wait for their jobs."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile

from queueing.api import Job
from tests import speech
from tests.chat.browser import Browser
from tests.support.valkey import wait_until

TRANSCRIPT = "Where should I go in Lisbon on a rainy day?"


async def send_recording(
    visitor: Browser, path: str = "/api/audio", data: bytes | None = None, name: str = "a.webm", **form: Any
):
    content = speech.WEBM.read_bytes() if data is None else data
    body = {"companion": "travel", "file": SimpleUploadedFile(name, content)} | form
    token = visitor.client.cookies["csrftoken"].value
    return await visitor.client.post(path, body, headers={"X-CSRFToken": token})


async def submit_recording(visitor: Browser, **form: Any) -> dict[str, Any]:
    """Post a recording and return the accepted job."""
    response = await send_recording(visitor, **form)
    assert response.status_code == 202, response.content
    return response.json()


async def ended_job(job_id: str) -> Job:
    def finished() -> Job | None:
        job = Job.objects.get(id=job_id)
        return job if job.is_finished else None

    return await sync_to_async(wait_until)(finished, "the job's end")
