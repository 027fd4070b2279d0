"""The HTTP server: finds the script for a request, plays it, and logs the request."""

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from aiohttp import web

from tests.provider.script import Script, Scripts, split
from tests.provider.wire import ChatWire, ResponsesWire, error_body, framed, write_paced

#: Maximum requests in the log, so that a long bench does not fill the memory.
LOG_LENGTH = 20_000


@dataclass
class Request:
    """The log entry of one request. Times are Unix seconds; None means that it has not happened."""

    method: str
    path: str
    json: dict[str, Any]
    started: float
    peer: str = ""
    """The client's address: the same for all requests of one connection."""
    authorised: bool = False
    """True when the request had a bearer key, which is not stored."""
    ended: float | None = None
    """The script was played to its end."""
    disconnected: float | None = None
    """The client disconnected before that."""


class Server:
    """A server on a port of `host`. `changed` is notified at every change of the log."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self.scripts = Scripts()
        self.log: deque[Request] = deque(maxlen=LOG_LENGTH)
        self.changed = threading.Condition()
        self.port = 0
        self._released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._numbers = iter(range(1, 1 << 62))
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/responses", self.responses)
        app.router.add_post("/v1/audio/transcriptions", self.transcriptions)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/_script", self.take_script)
        app.router.add_get("/_log", self.show_log)
        app.router.add_post("/_reset", self.reset)
        # A disconnecting client cancels its handler, so that the disconnect is logged at once.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)

    async def start(self, port: int = 0) -> None:
        await self._runner.setup()
        await self.listen(port)
        self.port = self._runner.addresses[0][1]

    async def listen(self, port: int) -> None:
        """Accept connections."""
        self._site = web.TCPSite(self._runner, self._host, port, backlog=2048)
        await self._site.start()

    async def refuse(self) -> None:
        """Refuse new connections."""
        await self._site.stop()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def release(self, name: str) -> None:
        """Release the answers that wait, or will wait, `until` this name."""
        self._released[name].set()

    async def forget(self) -> None:
        """Delete all scripts and log entries, and release all waiting answers."""
        self.scripts.clear()
        self.log.clear()
        for event in self._released.values():
            event.set()
        self._released.clear()

    # --- OpenAI's endpoints ---

    async def chat(self, http: web.Request) -> Any:
        body = await http.json()
        return await self._answer(http, body, last_user_message(body["messages"]), ChatWire)

    async def responses(self, http: web.Request) -> Any:
        body = await http.json()
        turns = body["input"]
        prompt = turns if isinstance(turns, str) else last_user_message(turns)
        return await self._answer(http, body, prompt, ResponsesWire)

    async def transcriptions(self, http: web.Request) -> Any:
        form = await http.post()
        upload: Any = form["file"]
        size = len(upload.file.read())
        body = {"model": form.get("model"), "filename": upload.filename, "bytes": size}
        if language := form.get("language"):
            body["language"] = language
        script = self.scripts.take(upload.filename)

        async def answer(entry: Request) -> web.StreamResponse:
            text = script.text if script.text is not None else f"This is what was said in {upload.filename}."
            if script.end == "cut":
                entry.ended = time.time()
                http.transport.abort()  # type: ignore[union-attr]
            if script.raw:
                return web.Response(text="".join(script.raw), content_type="application/json")
            if script.end == "garbage":
                return web.Response(body=b"{this is not JSON \xff", content_type="application/json")
            if script.end == "eof":
                return web.Response(text='{"text": "This is wh', content_type="application/json")
            if script.end == "error":
                return await answered({"error": {"message": "It broke.", "type": "server_error"}})
            usage = {"usage": {"type": "duration", "seconds": 3}} if script.counts else {}
            return await answered({"text": text} | usage)

        return await self._play(http, body, script, answer)

    async def models(self, http: web.Request) -> web.Response:
        model = {"id": "scripted", "object": "model", "created": 1_790_000_000, "owned_by": "tests"}
        return web.json_response({"object": "list", "data": [model]})

    # --- control by tests ---

    async def take_script(self, http: web.Request) -> web.Response:
        try:
            self.scripts.add_json(await http.json())
        except TypeError as exc:
            return web.json_response({"error": str(exc)}, status=400)
        return web.json_response({})

    async def show_log(self, http: web.Request) -> web.Response:
        return web.json_response([asdict(request) for request in self.log])

    async def reset(self, http: web.Request) -> web.Response:
        await self.forget()
        return web.json_response({})

    # --- playing a script ---

    async def _answer(self, http: web.Request, body: dict[str, Any], prompt: str, wire_type: Any) -> Any:
        script = self.scripts.take(prompt, body.get("model", ""))
        words = script.words(prompt)
        wire = wire_type(next(self._numbers), body)

        async def play(entry: Request) -> web.StreamResponse:
            if not body.get("stream"):
                return await answered(wire.whole(script, words))
            return await self._stream(http, script, words, wire, entry)

        return await self._play(http, body, script, play)

    async def _play(self, http: web.Request, body: dict[str, Any], script: Script, answer: Any) -> Any:
        transport: Any = http.transport
        host, port = transport.get_extra_info("peername")[:2]
        entry = Request(http.method, http.path, body, time.time(), f"{host}:{port}")
        entry.authorised = http.headers.get("authorization", "").startswith("Bearer ")
        self.log.append(entry)
        self._changed()
        try:
            await asyncio.sleep(script.wait)
            if script.until and not script.pause_after:
                await self._released[script.until].wait()
            if script.status == 200:
                response = await answer(entry)
            else:
                response = await refuse(http, script)
            entry.ended = entry.ended or time.time()
            return response
        except asyncio.CancelledError:
            if not entry.ended:
                entry.disconnected = time.time()
            raise
        finally:
            self._changed()

    async def _stream(
        self,
        http: web.Request,
        script: Script,
        words: list[str],
        wire: Any,
        entry: Request,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": script.content_type})
        response.enable_chunked_encoding()
        await response.prepare(http)
        transport: Any = http.transport
        chunks = played(script, words, wire)
        transport.write(framed(next(chunks)))
        chunks = map(framed, chunks)
        if script.until and script.pause_after:
            await write_paced(transport, islice(chunks, script.pause_after), script.delay)
            await self._released[script.until].wait()
        await write_paced(transport, chunks, script.delay)
        if script.end == "stall":
            await forever()
        elif script.end == "garbage":
            transport.write(framed(b"data: {this is not JSON \xff\n\n"))
        elif script.end == "cut":
            entry.ended = time.time()  # before the connection goes, which cancels this handler
            # After what was written: `abort` would take back words that the client has not read yet.
            transport.close()
            await forever()
        elif script.end != "eof" and not script.raw:
            transport.write(framed(wire.ending(script, words)))
            if script.end == "hang":
                await forever()
        await response.write_eof()
        return response

    def _changed(self) -> None:
        with self.changed:
            self.changed.notify_all()


def played(script: Script, words: list[str], wire: Any) -> Iterator[bytes]:
    """Yield what is sent before the end of an answer: at least one piece."""
    if script.raw:
        yield from (text.encode("latin-1") for text in script.raw)
        return
    yield wire.opening()
    yield from map(wire.thought, split(script.thoughts))
    yield from map(wire.word, words)


def last_user_message(turns: list[dict[str, Any]]) -> str:
    content = next((turn["content"] for turn in reversed(turns) if turn.get("role") == "user"), "")
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def answered(data: dict[str, Any]) -> web.Response:
    return web.json_response(data)


async def refuse(http: web.Request, script: Script) -> web.Response:
    """Send the script's error answer, no answer, or bytes that are not HTTP."""
    if script.status == 0:
        await forever()
    if script.status == -1:
        transport: Any = http.transport
        transport.write(b"220 mail.example.org ESMTP ready\r\n")
        transport.close()
        await forever()
    return web.json_response(error_body(script), status=script.status, headers=script.headers)
