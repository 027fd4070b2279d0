"""A provider that answers every request with `TOKENS` tokens, `RATE` a second, each the time it was sent.

    python -m bench.streaming.provider PORT TOKENS RATE

Chat completions as server-sent events, without a web framework: it must cost less than what it measures.
"""

import asyncio
import json
import sys
import time

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
)
BASE = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "stamps"}


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One event's data."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps(BASE | {"choices": [choice]}).encode() + b"\n\n"


BEFORE, BEHIND = chunk({"content": "@@"}).split(b"@@")


def framed(data: bytes) -> bytes:
    """As a chunk of HTTP."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Answer(asyncio.Protocol):
    """One connection, one answer."""

    tokens = 1200
    rate = 20.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and len(body) >= int(line.partition(b":")[2]):
                self.received = b""
                self.transport.write(HEAD + framed(chunk({"role": "assistant", "content": ""})))
                self.loop = asyncio.get_running_loop()
                self.left, self.due = self.tokens, self.loop.time()
                self.tick()

    def tick(self) -> None:
        if self.transport.is_closing():
            return
        if not self.left:
            self.transport.write(framed(chunk({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
            self.transport.close()
            return
        self.left -= 1
        self.transport.write(framed(BEFORE + b"%d " % (time.monotonic_ns() // 1000) + BEHIND))
        self.due += 1 / self.rate
        self.loop.call_at(self.due, self.tick)


async def main(port: int, tokens: int, rate: float) -> None:
    """Until killed."""
    Answer.tokens, Answer.rate = tokens, rate
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
