"""A provider that speaks OpenAI's protocol over real HTTP and does what a test tells it to.

`script.py` says what can be asked of it, `wire.py` how the two streaming APIs look, `server.py`
answers, `fixture.py` brings it into pytest. By hand: `python -m tests.provider --port 8899`.
"""

from tests.provider.script import Script
from tests.provider.server import Request, Server

__all__ = ["Request", "Script", "Server"]
