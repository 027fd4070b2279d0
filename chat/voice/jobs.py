"""Listening to a recording. Runs in `manage.py qcluster`."""

from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from chat.analytics.job_events import track_job_end
from chat.care import screen
from chat.care.counters import count_card
from chat.conversations.threads import forget_jobs
from chat.models import Message, Thread
from chat.replies.titles import title_from
from chat.uploads import storage
from chat.uploads.models import Upload
from chat.upstream.transcription import transcribe
from chat.usage import ledger
from queueing.api import Ending, JobContext, Permanent, State, events, job

from .formats import BY_MEDIA_TYPE
from .services import KIND, TITLE

#: Failures of the recording itself: it is of no more use to anybody.
FOR_GOOD = ("no_speech", "unreadable", "too_long")


def settle(ending: Ending) -> None:
    """Put the words where they belong; remove the file, unless somebody may want to try it again."""
    track_job_end(ending)
    if "message_id" in ending.args:
        if ending.state == State.COMPLETED:
            _put_into_words(ending.args["message_id"], ending.args["reply_id"], ending.result["response"])
        elif ending.state == State.CANCELLED:
            _take_back([ending.args["message_id"], ending.args["reply_id"]])
    if ending.state != State.FAILED or ending.code in FOR_GOOD:
        storage.discard(ending.args["upload_id"])


def _put_into_words(question_id: str, reply_id: str, text: str) -> None:
    """From now on it is a question like any other, with the job of its reply."""
    reply = Message.objects.select_related("thread").filter(id=reply_id).first()
    if reply is None:  # the conversation was deleted
        return
    thread = reply.thread
    Message.objects.filter(id=question_id, content="").update(content=text, job_id=reply.job_id)
    Thread.objects.filter(id=thread.id, title=TITLE, title_is_own=False).update(title=title_from(text))
    if concern := screen(text):  # the sockets show help as they tell the words
        transaction.on_commit(lambda: count_card(thread.companion, concern.level))


def _take_back(message_ids: list[str]) -> None:
    """A recording that nobody will hear is no message: it goes, and the reply it would have had."""
    gone = list(Message.objects.select_related("thread").filter(id__in=message_ids))
    if not gone:
        return
    Message.objects.filter(id__in=message_ids).delete()
    forget_jobs(message.job_id for message in gone)
    thread = gone[0].thread
    removed = {"type": "thread:removed", "threadId": thread.id.hex, "messageIds": message_ids}
    transaction.on_commit(lambda: events.emit_sync(thread.owner, removed))


@job(KIND, queue="audio-processing", topic="audio", on_end=settle)
async def listen(
    ctx: JobContext,
    *,
    upload_id: str,
    companion: str,
    language: str = "",
    message_id: str = "",
    reply_id: str = "",
) -> dict[str, Any]:
    """Have the recording `upload_id` written down. With `message_id`, that question waits for it."""
    ctx.progress(0, 1, "Fetching your recording")
    data, media_type = await sync_to_async(_fetch)(upload_id)
    ctx.progress(0, 1, "Listening to your recording")
    heard = await transcribe(
        data=data,
        file_name=f"recording.{BY_MEDIA_TYPE[media_type].extension}",
        media_type=media_type,
        language=language,
    )
    call = ledger.CallRecord(
        job_id=ctx.job_id,
        owner=ctx.owner,
        companion=companion,
        kind=KIND,
        model=heard.model,
        input_tokens=heard.input_tokens,
        output_tokens=heard.output_tokens,
        seconds_of_audio=heard.seconds,
    )
    await sync_to_async(ledger.record)(call)
    if not any(c.isalnum() for c in heard.text):
        raise Permanent(
            "No speech could be heard in this recording. "
            "Please check the microphone and record it again, a little closer.",
            code="no_speech",
        )
    ctx.progress(1, 1, "Written down")
    return {"response": heard.text, "model": heard.model, "seconds": heard.seconds}


def _fetch(upload_id: str) -> tuple[bytes, str]:
    try:
        return storage.read(upload_id), Upload.objects.get(id=upload_id).media_type
    except Upload.DoesNotExist:
        raise Permanent(
            "This recording is not here any more. Please record it again.", code="expired"
        ) from None
