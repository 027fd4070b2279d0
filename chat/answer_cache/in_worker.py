"""The answer cache as the job of a reply uses it, on a worker."""

from asyncio import to_thread

from chat.models import Message, Thread
from queueing.api import JobContext

from . import store
from .keys import Reuse
from .store import Answer


def recall(key: str, reuse: Reuse) -> Answer | None:
    """Return the stored answer, or None when the model must be asked. Blocks."""
    if not key or reuse == "renew":
        return None
    answer = store.find(key)
    if answer:
        store.count("hits")
    return answer


async def remember(
    key: str, reuse: Reuse, answer: Answer, *, ctx: JobContext, thread: Thread, reply_id: str
) -> None:
    """Store the model's answer for those who ask the same."""
    if not key:
        return
    if reuse != "renew":
        await to_thread(store.count, "misses")
    await to_thread(store.keep, key, answer, ctx=ctx, thread_id=thread.id.hex)
    # When a conversation was deleted while Redis was unavailable, the claim of this run held.
    if not await Message.objects.filter(id=reply_id).aexists():
        await to_thread(store.forget_thread, thread.id.hex)
