"""A scripted provider that speaks OpenAI's protocol over real HTTP.

`script.py` describes answers, `wire.py` the formats of the two streaming APIs, `server.py` answers
requests, `fixture.py` is the pytest fixture. To run it alone: `python -m tests.provider --port 8899`.
"""

from tests.provider.script import Script
from tests.provider.server import Request, Server

__all__ = ["Request", "Script", "Server"]
