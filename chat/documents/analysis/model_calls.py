"""The model calls about one document.

The result of each is saved at once in its `Chunk`, so that no call is made twice, also when the job is
interrupted.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from chat.documents import texts
from chat.documents.models import Analysis, Chunk
from chat.documents.texts import SKIP_REASONS
from chat.models import Thread
from chat.replies.model_calls import Payer
from chat.usage.budgets import CallSize
from queueing.api import JobContext, JobError, Permanent

from .cost import DocumentCost
from .model_session import ModelSession
from .prompts import Digest, Findings

#: Calls of one job that run at the same time.
CONCURRENCY = 2
Parsed = TypeVar("Parsed", Findings, Digest)


class DocumentCalls:
    """The model calls of one run of a job."""

    def __init__(self, ctx: JobContext, analysis: Analysis, thread: Thread, session: ModelSession) -> None:
        self.ctx = ctx
        self.analysis = analysis
        self.session = session
        self._part_of_plan = CallSize()
        self._payer = Payer.of(ctx, thread_id=thread.id.hex, companion=thread.companion)

    async def begin(self, cost: DocumentCost) -> None:
        """Reserve the cost of all calls to come. Raise `Permanent` when it is too high."""
        if not cost.is_allowed:
            raise Permanent(texts.too_many_calls(cost.calls), code="too_long")
        self._payer.planned = cost.size
        self._part_of_plan = cost.size.divided(cost.calls)
        await self._payer.reserve()

    async def run(
        self, chunk: Chunk, prompt: str, parse: Callable[[str], Parsed], skip: Callable[[str], Parsed]
    ) -> Parsed:
        """Send the prompt, and save the result of `parse` for the answer in `chunk`.

        When the error is about this text alone (`SKIP_REASONS`), the result is that of `skip` for the reason.
        Raises `JobError` for every other error.
        """
        self._payer.planned = self._payer.planned.without(self._part_of_plan)
        try:
            reply = await self.session.complete(prompt, self._payer)
        except JobError as exc:
            if exc.code == "empty_answer":
                result = parse("")
            elif exc.code in SKIP_REASONS:
                result = skip(SKIP_REASONS[exc.code])
            else:
                raise
        else:
            result = parse(reply.text)
        chunk.result = asdict(result)
        await Chunk.objects.filter(pk=chunk.pk).aupdate(result=chunk.result)
        return result
