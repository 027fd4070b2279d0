"""Redis with an ACL user that has few rights, and over TLS: all that the engine does works (O2)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from deploy.production.certificate import write_certificate
from queueing.control import audited
from queueing.models import Job
from queueing.monitoring.health import queue_health
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.secured_sentinels import has_tls
from tests.support.valkey import Valkey, _server, point_at, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "of the/user"
#: What docs/deploy.md gives the user: keys and channels of the prefix, and no administration.
RIGHTS = "~{buddy}:* &{buddy}:* &buddy* +@all -@admin -@dangerous +info"


class SecuredRedis(Valkey):
    """A server whose default user is off. With a certificate it speaks TLS only."""

    def __init__(self, directory: Path, certificate: tuple[Path, Path] | None = None) -> None:
        super().__init__(directory, password="")
        scheme, query, lines = "redis", "", [f"port {self.port}"]
        if certificate:
            scheme, query = "rediss", f"?ssl_ca_certs={certificate[0]}"
            lines = [f"port 0\ntls-port {self.port}\ntls-auth-clients no\ntls-ca-cert-file {certificate[0]}"]
            lines += [f"tls-cert-file {certificate[0]}\ntls-key-file {certificate[1]}"]
        lines += [f'dir {directory}\nsave ""\nappendonly yes\nuser default off']
        lines += [f'user queues on ">{PASSWORD}" {RIGHTS}']
        (directory / "redis.conf").write_text("\n".join(lines))
        self.program = "redis-server" if certificate else _server()
        self.url = f"{scheme}://queues:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/0{query}"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start the server and wait until it answers the user."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, str(self.directory / "redis.conf")], stdout=log, stderr=log
            )
        wait_until(self._answers, "the server to answer")


needs_tls = pytest.mark.skipif(not has_tls(), reason="it needs redis-server with TLS (Debian: redis-server)")


@pytest.fixture(params=["plain", pytest.param("TLS", marks=needs_tls)])
def secured(request, valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[SecuredRedis]:
    """A server for one ACL user, and the settings pointing at it."""
    certificate = write_certificate(tmp_path) if request.param == "TLS" else None
    server = SecuredRedis(tmp_path, certificate)
    server.start()
    point_at(settings, server.url)
    yield server
    server.stop()


def test_user_with_the_rights_of_the_docs_can_do_all_that_the_engine_does(secured, qcluster):
    qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    running = submit("test.rest", {"seconds": 30}).job
    wait_until(lambda: Job.objects.filter(id=running.id, state=State.ACTIVE).exists(), "the job to start")
    audited.cancel(running.id, actor="dora")
    assert finished(running).state == State.CANCELLED
    audited.pause("test-narrow", actor="dora")
    audited.set_limits("test", actor="dora", concurrency=3)
    health = async_to_sync(queue_health)()
    assert (health["health"], health["warnings"]) == ("ok", [])
    assert health["server"]["version"]
    assert async_to_sync(echo)() == "test"


async def echo() -> str:
    """Send a message through the channel layer to itself."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "test"})
    return str((await layer.receive(channel))["type"])


def test_other_clients_are_refused(secured):
    secured.client.set("{buddy}:mine", 1)
    with pytest.raises(redis.exceptions.NoPermissionError):
        secured.client.set("theirs", 1)
    with pytest.raises(redis.exceptions.NoPermissionError):
        secured.client.flushall()
    address = {"host": "127.0.0.1", "port": secured.port, "socket_timeout": 2}
    with pytest.raises((redis.ConnectionError, redis.ResponseError, redis.TimeoutError)):
        redis.Redis(**address).ping()


def test_killed_server_loses_no_job_that_was_submitted_meanwhile(secured, qcluster):
    """A restart under load: what was accepted before, while it was away, and after, is done once."""
    qcluster()
    jobs = submit_many("test.rest", [{"seconds": 0.2}] * 100)
    secured.stop()
    jobs += [submit("test.rest", {"seconds": 0}).job for _ in range(20)]
    secured.start()
    jobs += submit_many("test.rest", [{"seconds": 0}] * 50)
    for job in jobs:
        assert finished(job).state == State.COMPLETED
