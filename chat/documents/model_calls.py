"""The calls of the model about one document. Each is a `Piece`: what comes of it is kept at once, so that no
call is made twice, whatever happens to the job in between."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from chat.models import Thread
from chat.replies.model_calls import Payer
from queueing.api import JobContext, JobError

from .model_session import Asking
from .models import Analysis, Piece
from .prompts import Digest, Findings

#: Calls that are made at once.
AT_ONCE = 2
#: Failures that are about one call's text and no other's, and what the report says of them.
_SKIP = {
    "refused": "the model declined to read it",
    "content_filter": "it was held back by the content filter",
    "too_long": "it is more than the model can take in",
    "no_room": "the model ran out of room over it",
}
Found = TypeVar("Found", Findings, Digest)


class Calls:
    """Of one run of a job."""

    def __init__(self, ctx: JobContext, analysis: Analysis, thread: Thread, asking: Asking) -> None:
        self.ctx = ctx
        self.analysis = analysis
        self.asking = asking
        self._payer = Payer.of(ctx, thread_id=thread.id.hex, companion=thread.companion)

    async def make(
        self, piece: Piece, prompt: str, understand: Callable[[str], Found], otherwise: Callable[[str], Found]
    ) -> Found:
        """Ask, and keep in `piece` what `understand` makes of the answer.

        When the model will not have this text (and may well have others) it is what `otherwise` makes of
        the reason. Raises `JobError` for all else.
        """
        try:
            reply = await self.asking.ask(prompt, self._payer)
        except JobError as exc:
            if exc.code == "empty_answer":
                found = understand("")
            elif exc.code in _SKIP:
                found = otherwise(_SKIP[exc.code])
            else:
                raise
        else:
            found = understand(reply.text)
        piece.result = asdict(found)
        await Piece.objects.filter(pk=piece.pk).aupdate(result=piece.result)
        return found
