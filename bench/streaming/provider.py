"""A provider that answers every request with TOKENS tokens, RATE a second. Each token is its send time.

    python -m bench.streaming.provider PORT TOKENS RATE

It sends chat completions as server-sent events, without a web framework, so that it costs little itself. A
request with the words "In brief" is answered with three tokens.
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
    """Return one server-sent event."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps(BASE | {"choices": [choice]}).encode() + b"\n\n"


BEFORE, AFTER = chunk({"content": "@@"}).split(b"@@")


def framed(data: bytes) -> bytes:
    """Return the data as one chunk of a chunked HTTP body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Answer(asyncio.Protocol):
    """One connection with one answer."""

    tokens = 1200
    rate = 20.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Start the answer when the request is complete."""
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and len(body) >= int(line.partition(b":")[2]):
                self.received = b""
                self.transport.write(HEAD + framed(chunk({"role": "assistant", "content": ""})))
                self.loop = asyncio.get_running_loop()
                self.left, self.due = 3 if b"In brief" in body else self.tokens, self.loop.time()
                self.tick()

    def tick(self) -> None:
        """Send the next token, or the end."""
        if self.transport.is_closing():
            return
        if not self.left:
            self.transport.write(framed(chunk({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
            self.transport.close()
            return
        self.left -= 1
        self.transport.write(framed(BEFORE + b"%d " % (time.monotonic_ns() // 1000) + AFTER))
        self.due += 1 / self.rate
        self.loop.call_at(self.due, self.tick)


async def main(port: int, tokens: int, rate: float) -> None:
    """Serve until the process is killed."""
    Answer.tokens, Answer.rate = tokens, rate
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
