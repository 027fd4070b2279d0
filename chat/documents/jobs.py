"""The work behind a report. Runs in `manage.py qcluster`."""

from typing import Any

from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.replies.reply_job import save_reply
from chat.usage import ledger
from queueing.api import Ending, JobContext, Permanent, State, job

from . import report
from .map_parts import read_parts
from .model_calls import Calls
from .model_session import Asking
from .models import Analysis
from .reduce_parts import combine
from .report import Line, Read


def save_report(ending: Ending) -> None:
    """Put the report into the reply that waits for it; the document has then done its duty.

    A failed or cancelled one is kept, since it may be tried again: `services.sweep` removes it in time.
    """
    save_reply(ending)
    if ending.state == State.COMPLETED:
        Analysis.objects.filter(reply_id=ending.args["reply_id"]).delete()


@job("analysis.document", queue="large-requests", topic="analysis", on_end=save_report)
async def analyse(ctx: JobContext, *, reply_id: str) -> dict[str, Any]:
    """Read the document that the message `reply_id` is to report on, part by part, and write the report.

    Every call's outcome is kept at once: another run goes on from there.
    """
    analysis, question = await _what_is_asked(reply_id)
    asking = Asking.of(question, analysis.name)
    calls = Calls(ctx, analysis, analysis.reply.thread, asking)
    reads = await read_parts(calls)
    if all(read.findings.skipped for read in reads):
        raise Permanent(
            f"No part of this document could be read: {reads[0].findings.skipped}.", code="refused"
        )
    ctx.progress(len(reads), len(reads), "Putting it together")
    lines, digest = await combine(calls, _lines(reads))
    bill = await sync_to_async(ledger.total_of_job)(ctx.job_id)
    return bill.public() | {
        "response": report.written(analysis, reads, lines, digest, asking.remark),
        "parts": len(reads),
        "truncated": False,  # one call may have been cut off, but the report is whole
    }


async def _what_is_asked(reply_id: str) -> tuple[Analysis, str]:
    try:
        analysis = await Analysis.objects.select_related("reply__thread").aget(reply_id=reply_id)
        question = await Message.objects.aget(job_id=analysis.reply.job_id, role=Role.USER)
    except (Analysis.DoesNotExist, Message.DoesNotExist):
        raise Permanent(
            "This document is not kept any more. Please attach it again.", code="document_gone"
        ) from None
    return analysis, question.content


def _lines(reads: list[Read]) -> list[Line]:
    return [line for read in reads for line in read.lines]
