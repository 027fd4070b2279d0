"""The companions' model. Only this package knows the `openai` SDK; whoever calls it sees ours alone.

`fallback.py` chooses who is asked, `stream.py` asks and listens, `reply.py` understands what comes,
`client.py` holds the connections, `errors.py` says what went wrong in our words.

The SDK is imported where it is used: it takes most of a second and 20 MB, and web servers and commands
never ask a model. Clusters have it before their first job (`PRELOAD` in buddy/settings/queue.py).
"""

from chat.upstream.errors import mapped
from chat.upstream.fallback import stream_reply

from .parse import Reply, Spent

__all__ = ["Reply", "Spent", "mapped", "stream_reply"]
