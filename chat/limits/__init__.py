"""How much one visitor, user or address may ask for: settings `LIMIT_*`, counted in Redis.

The `limits` library reads the notation (`20/minute;200/hour`), connects to Redis and counts what is let
through or refused at once (`check`). Messages are given a turn instead (`turns.py`): theirs may come later.
"""

from .request_limits import check

__all__ = ["check"]
