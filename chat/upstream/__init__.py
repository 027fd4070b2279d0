"""The model's provider: the only package that knows the `openai` SDK. Its callers see our types alone.

`fallback.py` chooses the model, `stream.py` sends the request and reads the answer, `transcription.py` does
so for recordings. Below them: `client.py` holds the connections, `sse_parser.py` takes events out of bytes,
`parse.py` reads events into a draft (`draft.py`), with the dialects of content (`content.py`), thoughts
(`thoughts.py`) and errors (`stream_errors.py`). `errors.py` and `retry_after.py` translate failures, and
`texts.py` holds the sentences for users. `health.py` and `checks.py` warn operators.

The SDK is imported inside functions: it takes most of a second and 20 MB, and web servers and commands
never call a model. Clusters load it before their first job (`PRELOAD` in buddy/settings/queue.py).
"""

from chat.upstream.fallback import stream_reply

from .draft import CallUsage, ModelReply
from .stream import ReplyCallbacks
from .thoughts import without_thoughts

__all__ = ["CallUsage", "ModelReply", "ReplyCallbacks", "stream_reply", "without_thoughts"]
