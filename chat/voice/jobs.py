"""The job that transcribes a recording. It runs in `manage.py qcluster`."""

from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from chat.analytics.tracking.job_events import track_job_end
from chat.branches.removal import remove
from chat.care import screen
from chat.care.counters import count_card
from chat.conversations.threads import forget_jobs
from chat.models import Message, Thread
from chat.replies.model_calls import Payer, release_reservation
from chat.replies.titles import title_from
from chat.replies.transcription import Recording, call_transcription
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.api import Ending, JobContext, Permanent, State, events, job

from . import texts
from .formats import BY_MEDIA_TYPE
from .length import length_of
from .services import KIND, LENGTH_BYTES

#: Errors of the recording itself: a retry cannot succeed, so the file is deleted.
FINAL_CODES = ("no_speech", "unreadable", "too_long")


def save_transcript(ending: Ending) -> None:
    """Save the transcript as the question; delete the file unless the job may be retried."""
    track_job_end(ending)
    release_reservation(ending)
    if "message_id" in ending.args:
        if ending.state == State.COMPLETED:
            _save_question(ending.args["message_id"], ending.args["reply_id"], ending.result["response"])
        elif ending.state == State.CANCELLED:
            _delete_messages([ending.args["message_id"], ending.args["reply_id"]])
    if ending.state != State.FAILED or ending.code in FINAL_CODES:
        storage.discard(ending.args["upload_id"])


def _save_question(question_id: str, reply_id: str, text: str) -> None:
    """Fill in the question's text and attach it to the job of its reply, like every other question."""
    reply = Message.objects.select_related("thread").filter(id=reply_id).first()
    if reply is None:  # the conversation was deleted
        return
    thread = reply.thread
    Message.objects.filter(id=question_id, content="").update(content=text, job_id=reply.job_id)
    Thread.objects.filter(id=thread.id, title=texts.TITLE, has_custom_title=False).update(
        title=title_from(text)
    )
    if concern := screen(text):  # the sockets show help lines with the transcript
        transaction.on_commit(lambda: count_card(thread.companion, concern.level))


def _delete_messages(message_ids: list[str]) -> None:
    """Delete the messages of a cancelled recording: the question without text and its reply."""
    messages = list(Message.objects.select_related("thread").filter(id__in=message_ids))
    if not messages:
        return
    thread = messages[0].thread
    remove(thread.pk, [message.pk for message in messages])
    forget_jobs(message.job_id for message in messages)
    removed = {"type": "thread:removed", "threadId": thread.id.hex, "messageIds": message_ids}
    transaction.on_commit(lambda: events.emit_sync(thread.owner, removed))


@job(KIND, queue="audio-processing", topic="audio", on_end=save_transcript)
async def transcribe_recording(
    ctx: JobContext,
    *,
    upload_id: str,
    companion: str,
    language: str = "",
    message_id: str = "",
    reply_id: str = "",
) -> dict[str, Any]:
    """Transcribe the recording `upload_id`. With `message_id`, that question waits for the transcript."""
    ctx.progress(0, 1, texts.LOADING)
    data, media_type = await sync_to_async(_load)(upload_id)
    length = length_of(len(data), media_type, data[:LENGTH_BYTES])
    ctx.progress(0, 1, texts.TRANSCRIBING)
    recording = Recording(
        data=data,
        file_name=f"recording.{BY_MEDIA_TYPE[media_type].extension}",
        media_type=media_type,
        language=language,
        seconds=length.estimated,
        max_seconds=length.maximum,
    )
    transcript = await call_transcription(recording, Payer.of(ctx, thread_id="", companion=companion))
    if not any(c.isalnum() for c in transcript.text):
        raise Permanent(texts.NO_SPEECH, code="no_speech")
    ctx.progress(1, 1, texts.TRANSCRIBED)
    return {"response": transcript.text, "model": transcript.model, "seconds": transcript.seconds}


def _load(upload_id: str) -> tuple[bytes, str]:
    """Return the recording and its media type. Raises `Permanent` when the file is deleted."""
    try:
        return storage.read(upload_id), Upload.objects.get(id=upload_id).media_type
    except Upload.DoesNotExist:
        raise Permanent(texts.RECORDING_GONE, code="expired") from None
