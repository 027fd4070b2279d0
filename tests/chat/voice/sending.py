"""Sending a recording, and what comes of it."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile

from queueing.api import Job
from tests import speech
from tests.chat.tabs import Browser
from tests.support.valkey import wait_until

SAID = "Where should I go in Lisbon on a rainy day?"


async def send(
    who: Browser, path: str = "/api/audio", data: bytes | None = None, name: str = "a.webm", **form: Any
):
    content = speech.WEBM.read_bytes() if data is None else data
    body = {"companion": "travel", "file": SimpleUploadedFile(name, content)} | form
    token = who.client.cookies["csrftoken"].value
    return await who.client.post(path, body, headers={"X-CSRFToken": token})


async def heard(who: Browser, **form: Any) -> dict[str, Any]:
    response = await send(who, **form)
    assert response.status_code == 202, response.content
    return response.json()


async def ended(job_id: str) -> Job:
    def over() -> Job | None:
        job = Job.objects.get(id=job_id)
        return job if job.is_finished else None

    return await sync_to_async(wait_until)(over, "the job's end")
