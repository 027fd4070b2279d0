"""The job that writes a report about a document. It runs in `manage.py qcluster`."""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.replies.reply_job import save_reply
from chat.usage import ledger
from queueing.api import Ending, JobContext, Permanent, State, job

from . import texts
from .analysis import report
from .analysis.map_parts import read_parts
from .analysis.model_calls import DocumentCalls
from .analysis.model_session import ModelSession
from .analysis.reduce_parts import combine
from .analysis.splitting import DocumentLocations
from .models import Analysis


def save_report(ending: Ending) -> None:
    """Save the report as the waiting reply, and delete the document.

    The document of a failed or cancelled job stays, since the job may be retried; `services.sweep` deletes it
    later.
    """
    save_reply(ending)
    if ending.state == State.COMPLETED:
        Analysis.objects.filter(reply_id=ending.args["reply_id"]).delete()


@job("analysis.document", queue="large-requests", topic="analysis", on_end=save_report)
async def analyse(ctx: JobContext, *, reply_id: str) -> dict[str, Any]:
    """Read the document of the message `reply_id` part by part and return its report.

    The result of every model call is saved at once: another run continues from there.
    """
    analysis, question = await _load(reply_id)
    session = ModelSession.configured(question, analysis.name, analysis.reply.thread.companion)
    calls = DocumentCalls(ctx, analysis, analysis.reply.thread, session)
    # What takes longer for a longer document runs in a thread: other jobs share the event loop.
    locations = await asyncio.to_thread(DocumentLocations, analysis.text, analysis.kind)
    results = await read_parts(calls, locations)
    if all(result.findings.skipped for result in results):
        raise Permanent(texts.no_part_read(results[0].findings.skipped), code="refused")
    ctx.progress(len(results), len(results), texts.COMBINING)
    notes, digest = await combine(calls, [note for result in results for note in result.notes])
    response = await asyncio.to_thread(
        report.build_report, analysis, results, notes, digest, locations, session.remark
    )
    bill = await sync_to_async(ledger.total_of_job)(ctx.job_id)
    return bill.public() | {
        "response": response,
        "parts": len(results),
        "truncated": False,  # one call may have been cut off, but the report is complete
    }


async def _load(reply_id: str) -> tuple[Analysis, str]:
    """Return the document and the question. Raises `Permanent` when one of them is deleted."""
    try:
        analysis = await Analysis.objects.select_related("reply__thread").aget(reply_id=reply_id)
        question = await Message.objects.aget(job_id=analysis.reply.job_id, role=Role.USER)
    except (Analysis.DoesNotExist, Message.DoesNotExist):
        raise Permanent(texts.DOCUMENT_GONE, code="document_gone") from None
    return analysis, question.content
