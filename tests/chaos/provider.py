"""The provider of a run: it answers every prompt with a text that the prompt alone decides.

In a mood it behaves as a provider with one kind of fault, for example slow or silent.

`python -m tests.chaos.provider PORT SEED`. Its log of calls, in its own clock, is what the checks of limits
read. Handlers that call no model report their work at `/_work`.
"""

import asyncio
import hashlib
import random
import re
import sys
import time
from collections import deque
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any

from aiohttp import web

from tests.provider.script import Script, Scripts
from tests.provider.server import Request, Server

#: A prompt that contains this is refused for good.
REFUSED = "please refuse this"
#: The questions that several visitors ask in the same words begin so.
SHARED = "Shared question"
WORDS = [
    "sea",
    "wörld",
    "café",
    "🙂",
    "naïve",
    "Lisbon",
    "**bold**",
    "tram",
    "`code`",
    "東京",
    "coffee,",
    "rain.",
]
#: A request id at the begin of a question. Questions without an answer are sent together with the next one.
_KEY = re.compile(r"\bv\d\d-\d{4}\b")
#: After the bytes of a recording: the request id.
MARK = b"chaos:"


def question_in(prompt: str) -> tuple[str, str]:
    """Return (request id, text) of the last question in a prompt; no id for shared questions."""
    if matches := list(_KEY.finditer(prompt)):
        return matches[-1][0], prompt[matches[-1].start() :]
    return "", prompt


def answer_to(prompt: str) -> str:
    """Return the whole answer to a prompt."""
    digest = hashlib.sha256(prompt.encode()).digest()
    dice = random.Random(digest)
    length = dice.randint(200, 320) if dice.random() < 0.03 else dice.randint(8, 60)
    return " ".join([digest.hex()[:12], *dice.choices(WORDS, k=length)])


@dataclass
class Call:
    """One call, in the provider's clock."""

    key: str
    """The request id of the job, where the prompt names it."""
    queue: str
    instance: str
    """The service that called."""
    started: float
    entry: Request | None = None
    ended: float | None = None
    """When it ended in any way."""
    whole: bool = False
    """Whether the whole answer was sent."""
    spoiled: str = ""
    """The mood that spoiled it."""

    def as_json(self) -> dict[str, Any]:
        if entry := self.entry:
            self.ended = entry.ended or entry.disconnected
            self.whole = entry.ended is not None and not self.spoiled
        return asdict(replace(self, entry=None))


def said_in(request_id: str) -> str:
    """Return the words of a recording."""
    return f"This is what was said in {request_id}."


_recording: ContextVar[str] = ContextVar("_recording", default="")
_current: ContextVar[Call] = ContextVar("_current")


class Log(deque[Request]):
    """Gives each request to the call that it belongs to, and keeps none."""

    def append(self, request: Request) -> None:
        request.json = {}
        _current.get().entry = request


class Moods(Scripts):
    """Scripts that depend on the mood."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.mood = "well"
        self._dice = random.Random(seed)

    def take(self, prompt: str, model: str = "") -> Script:
        _, question = question_in(prompt)
        if REFUSED in question and self.mood not in ("errors", "limited", "silent"):
            return Script(status=400, code="invalid_request_error")
        text = said_in(_recording.get()) if _recording.get() else answer_to(question)
        script = Script(text=text, delay=self._dice.uniform(0.005, 0.03))
        match self.mood:
            case "errors":
                return Script(status=503, code="unavailable")
            case "limited":
                return Script(status=429, headers={"Retry-After": "2"}, code="rate_limit_exceeded")
            case "slow":
                return replace(script, wait=self._dice.uniform(1, 5), delay=script.delay * 3)
            case "silent":
                return Script(status=0)
            case "lying" if self._dice.random() < 0.5:
                return self._nonsense(script)
            case "cutting" if self._dice.random() < 0.5:
                return replace(script, end="cut", after=self._dice.randint(0, 12))
        return script

    def _nonsense(self, script: Script) -> Script:
        end = self._dice.choice(["garbage", "error", "eof", "http"])
        if end == "http":
            return Script(status=-1)
        return replace(script, end=end, after=self._dice.randint(0, 5))  # type: ignore[arg-type]


class ChaosServer(Server):
    """The scripted provider, with moods and a short log of all calls."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.scripts = self.moods = Moods(seed)
        self.log = Log()
        self.calls: list[Call] = []
        app = self._runner.app
        app.router.add_post("/_mood", self.set_mood)
        app.router.add_post("/_work", self.work)
        app.router.add_get("/_calls", self.show_calls)

    async def set_mood(self, http: web.Request) -> web.Response:
        self.moods.mood = (await http.json())["mood"]
        return web.json_response({})

    async def show_calls(self, http: web.Request) -> web.Response:
        return web.json_response([call.as_json() for call in self.calls])

    async def work(self, http: web.Request) -> web.Response:
        """Log the work of a handler that calls no model: it lasts as long as this call."""
        body = await http.json()
        call = Call(body["key"], body["queue"], body["instance"], time.time())
        self.calls.append(call)
        try:
            await asyncio.sleep(body["seconds"])
            call.whole = True
            return web.json_response({"answer": answer_to(body["key"])})
        finally:
            call.ended = time.time()

    async def transcriptions(self, http: web.Request) -> Any:
        file: Any = (await http.post())["file"]
        _recording.set(file.file.read().rpartition(MARK)[2].decode())
        file.file.seek(0)
        return await super().transcriptions(http)

    async def _play(self, http: web.Request, body: dict[str, Any], script: Script, answer: Any) -> Any:
        call = Call(*self._purpose(http.path, body), _instance(http), time.time())
        call.spoiled = "" if _is_sound(script) else self.moods.mood
        self.calls.append(call)
        _current.set(call)
        return await super()._play(http, body, script, answer)

    def _purpose(self, path: str, body: dict[str, Any]) -> tuple[str, str]:
        if key := _recording.get():
            return key, "audio-processing"
        turns = body.get("messages") or []
        prompt = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "")
        key, question = question_in(prompt)
        return key, "openai-chat" if key or question.startswith(SHARED) else "other"


def _is_sound(script: Script) -> bool:
    return script.status == 200 and script.end == "stop"


def _instance(http: web.Request) -> str:
    return http.headers.get("authorization", "").removeprefix("Bearer sk-")


async def main() -> None:
    server = ChaosServer(int(sys.argv[2]))
    await server.start(int(sys.argv[1]))
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
