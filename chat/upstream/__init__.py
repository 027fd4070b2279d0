"""The companions' model. Only this package knows the `openai` SDK; whoever calls it sees ours alone.

`stream.py` asks and listens, `reply.py` understands what comes, `client.py` holds the connections,
`errors.py` says what went wrong in our words.
"""

from chat.upstream.errors import mapped
from chat.upstream.reply import Reply
from chat.upstream.stream import stream_reply

__all__ = ["Reply", "mapped", "stream_reply"]
