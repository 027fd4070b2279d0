"""The companions' model. Only this package knows the `openai` SDK; whoever calls it sees ours alone.

`fallback.py` chooses who is asked, `stream.py` asks and listens, `reply.py` understands what comes,
`client.py` holds the connections, `errors.py` says what went wrong in our words.
"""

from chat.upstream.errors import mapped
from chat.upstream.fallback import stream_reply
from chat.upstream.reply import Reply, Spent

__all__ = ["Reply", "Spent", "mapped", "stream_reply"]
