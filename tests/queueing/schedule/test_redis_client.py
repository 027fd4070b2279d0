"""A server that is not Redis, or not ready, counts as unavailable Redis; accepted work is stored."""

import asyncio
import re
import socketserver
import threading
from contextlib import suppress

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Outcome, ScheduleEntry
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.support.valkey import free_port, point_at

GARBAGE = {
    "hangs up": b"",
    "a web server": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "bytes": b"\x00\xff\xfe\x80\r\n\x00\r\n",
    "a greeting": b"220 mail.example ESMTP\r\n",
    "an error": b"-ERR no such thing\r\n",
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "full": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "a replica": b"-READONLY You can't write against a read only replica.\r\n",
}
#: Well-formed replies that no script of the engine returns.
UNEXPECTED = {
    "ok": b"+OK\r\n",
    "a number": b":1\r\n",
    "a text": b"$5\r\nhello\r\n",
    "nothing": b"$-1\r\n",
    "an empty list": b"*0\r\n",
    "a list of texts": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
}


#: The correct replies to the first commands of a connection.
HANDSHAKE = {
    b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
    b"CLIENT": b"+OK\r\n",
    b"SELECT": b"+OK\r\n",
    b"PING": b"+PONG\r\n",
}


class Garbage(socketserver.BaseRequestHandler):
    """A server that replies to every request with its `words`. A polite one gets the handshake right."""

    def handle(self) -> None:
        while self.server.words and (asked := self.request.recv(65536)):
            for name in re.findall(rb"\*\d+\r\n\$\d+\r\n(\w+)", asked):
                handshake = HANDSHAKE.get(name) if self.server.polite else None
                self.request.sendall(handshake or self.server.words)


@pytest.fixture
def serve(settings):
    """Call it with the reply of a server that takes the place of Redis."""
    servers = []

    def start(words: bytes, *, polite: bool = False) -> None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", free_port()), Garbage)
        server.daemon_threads, server.words, server.polite = True, words, polite
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        point_at(settings, f"redis://127.0.0.1:{server.server_address[1]}/0")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


ID, TOKEN = "0" * 32, "c1/w/1"
CALLS = {
    "submit": lambda: scripts.submit("test", [ScheduleEntry(ID, "", 5)]),
    "claim": lambda: scripts.claim([get_queue("test")], TOKEN, 3),
    "finish": lambda: scripts.finish(get_queue("test"), [Outcome(ID, TOKEN, "completed", 1)]),
    "counts": lambda: scripts.counts("test"),
    "positions": lambda: scripts.positions("test", [ID]),
    "ending_leases": lambda: scripts.ending_leases("test"),
    "renew": lambda: scripts.renew("test", [(ID, TOKEN)]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("words", GARBAGE)
def test_run_garbage_reply_raises_unavailable(serve, call, words):
    serve(GARBAGE[words])
    with pytest.raises(redis_client.Unavailable) as caught:
        redis_client.run(CALLS[call]())
    assert str(caught.value)

    async def over_asyncio() -> None:
        try:
            await redis_client.arun(CALLS[call]())
        finally:
            await redis_client.aclose()

    with pytest.raises(redis_client.Unavailable):
        asyncio.run(over_asyncio())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", GARBAGE)
def test_submit_with_garbage_replies_stores_jobs(serve, words):
    serve(GARBAGE[words])
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    submit_many("test.noop", [{}] * 2)
    assert submit("test.noop", {}, owner="alice", request_id="r1").job == job
    assert Job.objects.filter(state=State.WAITING).count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", GARBAGE)
def test_cancel_with_garbage_replies_is_recorded(serve, words):
    serve(GARBAGE[words])
    job = submit("test.noop", {}).job
    assert verbs.cancel(job.id).state == State.CANCELLED


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("words", UNEXPECTED)
@pytest.mark.parametrize("polite", [True, False])
def test_run_unexpected_reply_raises_only_unavailable(serve, call, words, polite):
    serve(UNEXPECTED[words], polite=polite)
    with suppress(redis_client.Unavailable):  # some of the replies are valid for some of the calls
        redis_client.run(CALLS[call]())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", UNEXPECTED)
@pytest.mark.parametrize("polite", [True, False])
def test_submit_with_unexpected_replies_stores_job(serve, words, polite):
    serve(UNEXPECTED[words], polite=polite)
    submit("test.noop", {})
    assert Job.objects.count() == 1
