"""Something that is not Redis answers: it is said clearly, and nothing is half done."""

import asyncio
import re
import socketserver
import threading

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
#: Well-formed, but not what a script of ours returns.
STRANGE = {
    "ok": b"+OK\r\n",
    "a number": b":1\r\n",
    "a text": b"$5\r\nhello\r\n",
    "nothing": b"$-1\r\n",
    "an empty list": b"*0\r\n",
    "a list of texts": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
}


#: How a connection begins.
OPENING = {
    b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
    b"CLIENT": b"+OK\r\n",
    b"SELECT": b"+OK\r\n",
    b"PING": b"+PONG\r\n",
}


class Garbage(socketserver.BaseRequestHandler):
    """Answers every request with the server's words; a polite one gets the connection's opening right."""

    def handle(self) -> None:
        while self.server.words and (asked := self.request.recv(65536)):
            for name in re.findall(rb"\*\d+\r\n\$\d+\r\n(\w+)", asked):
                opening = OPENING.get(name) if self.server.polite else None
                self.request.sendall(opening or self.server.words)


@pytest.fixture
def answers(settings):
    """Call it with the words with which something that is not Redis shall answer."""
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
    "places": lambda: scripts.positions("test", [ID]),
    "expired": lambda: scripts.expired("test"),
    "renew": lambda: scripts.renew("test", [(ID, TOKEN)]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("words", GARBAGE)
def test_garbage_counts_as_redis_being_away(answers, call, words):
    answers(GARBAGE[words])
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
def test_what_is_submitted_to_garbage_is_kept(answers, words):
    answers(GARBAGE[words])
    job = submit("test.noop", {}, owner="alice", request_id="r1").job
    submit_many("test.noop", [{}] * 2)
    assert submit("test.noop", {}, owner="alice", request_id="r1").job == job
    assert Job.objects.filter(state=State.WAITING).count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", GARBAGE)
def test_a_cancel_holds_though_garbage_answers(answers, words):
    answers(GARBAGE[words])
    job = submit("test.noop", {}).job
    assert verbs.cancel(job.id).state == State.CANCELLED
