"""A real Redis whose scripts read a virtual clock, and whose time is counted.

The scripts are those of the engine. Only the line that reads the clock is another one. One connection sends
them and receives what they publish, in the order in which Redis does it.
"""

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis

from queueing.conf import get_conf
from queueing.schedule import redis_client
from queueing.schedule.scripts import key

_REAL_CLOCK = "redis.call('TIME')"
#: The virtual time of the first moment, in ms. Any time of these years.
EPOCH = 1_800_000_000_000


def use_virtual_clock() -> None:
    """Let the scripts of this process read the key `clock` in place of the clock of Redis."""
    real = redis_client.script_source
    source = f"{{redis.call('GET', '{key('clock')}') / 1000, 0}}"

    def virtual(script: str) -> str:
        text = real(script)
        assert text.count(_REAL_CLOCK) == 1, script
        return text.replace(_REAL_CLOCK, source)

    redis_client.script_source = virtual  # type: ignore[assignment]
    redis_client._sha.cache_clear()


@dataclass(frozen=True)
class ServiceTime:
    """Seconds of Redis for a call: of its own, and for each job in it."""

    call: float
    job: float = 0.0


@dataclass
class Connection:
    """The connection, in the place of the engine's own."""

    url: str
    times: dict[str, ServiceTime] = field(default_factory=dict)
    on_message: Callable[[str, str], None] = lambda channel, text: None
    """Called with what the scripts publish."""
    now: float = 0.0
    """The virtual time, in seconds."""
    free_at: float = 0.0
    """When Redis has done all calls so far: it does one after the other."""
    busy: dict[str, float] = field(default_factory=dict)
    """Seconds that Redis worked, by script."""
    calls: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        host, _, port = self.url.removeprefix("redis://").partition(":")
        self._socket = socket.create_connection((host, int(port.partition("/")[0])))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace")
        self._names: dict[str, str] = {}
        self.command("HELLO", 3)
        redis_client._sync[get_conf().redis_url] = (None, self)  # type: ignore[assignment]

    def command(self, *command: Any) -> Any:
        """Return the reply to a command, without the clock."""
        return self._exchange([command])[0]

    def execute_many(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Do what the engine's connections do, at the virtual time, and count the time that Redis needs.

        Redis begins when it has done the calls before.
        """
        begins = max(self.now, self.free_at)
        clock = ("SET", key("clock"), f"{EPOCH + begins * 1000:.0f}")
        replies = self._exchange([clock, *commands])[1:]
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, hiredis.ReplyError):
                if "NOSCRIPT" in str(reply):
                    raise redis_client.NoScriptError(str(reply))
                raise reply
            name = self._name_of(command)
            time = self.times.get(name, ServiceTime(0.0))
            begins += self._count(name, time.call + time.job * _jobs_in(name, command, reply))
        self.free_at = begins
        return replies

    def add_busy(self, name: str) -> None:
        """Add the time of something that the last call did as well."""
        self.free_at += self._count(name, self.times[name].call)

    def _count(self, name: str, seconds: float) -> float:
        self.busy[name] = self.busy.get(name, 0.0) + seconds
        self.calls[name] = self.calls.get(name, 0) + 1
        return seconds

    def _exchange(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        self._socket.sendall(b"".join(map(hiredis.pack_command, commands)))
        replies: list[Any] = []
        while len(replies) < len(commands):
            while (reply := self._reader.gets()) is False:
                self._reader.feed(self._socket.recv(1 << 16))
            if isinstance(reply, hiredis.PushNotification):
                if reply[0] == "message":
                    self.on_message(reply[1], reply[2])
            else:
                replies.append(reply)
        return replies

    def subscribe(self, channels: Sequence[str]) -> None:
        """Receive what is published on these channels, from now on."""
        self._socket.sendall(hiredis.pack_command(("SUBSCRIBE", *channels)))
        self.command("PING")

    def _name_of(self, command: tuple[Any, ...]) -> str:
        if command[0] not in ("EVAL", "EVALSHA"):
            return str(command[0])
        if command[1] not in self._names:
            names = ("submit", "counts", "claim", "finish", "renew", "heartbeat", "ending_leases", "append")
            for name in names:
                self._names[redis_client._sha(name)] = name
                self._names[redis_client.script_source(name)] = name
        return self._names[command[1]]


def _jobs_in(name: str, command: tuple[Any, ...], reply: Any) -> int:
    if name == "claim":
        return (len(reply) - 1) // 3
    if name == "finish":
        return sum(len(group[2]) for group in json.loads(command[-2]))
    if name == "renew":
        return (len(command) - 3 - int(command[2])) // 2
    return len(reply) if name == "append" else 0
