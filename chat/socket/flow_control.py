"""How much one socket may say, and how much it must have read to be told more."""

import time

#: Messages at once, and per second from then on.
BURST, RATE = 20.0, 5.0
#: What a message counts, where it is not 1. A tab that comes back asks after all its jobs at once.
COSTS = {"ping": 0.25, "pong": 0.05, "job:watch": 0.25, "job:render": 0.05}
#: Refused frames at once, and per second from then on, before the socket is closed.
STRIKES, FORGIVEN = 20.0, 0.2

#: Bytes after which the client is asked how far it has read.
ASK_EVERY = 64 * 1024
#: Bytes not known to be read from which nothing more is sent, and below which it goes on.
MOST_UNREAD = 512 * 1024
GO_ON_BELOW = 128 * 1024
#: Seconds a client may take to read what it was sent.
PATIENCE = 30.0


class Bucket:
    """`burst` tokens, refilled by `rate` a second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = burst, time.monotonic()

    def take(self, cost: float = 1.0) -> bool:
        """Whether there was enough; if not, nothing is taken."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def wait(self, cost: float = 1.0) -> float:
        """Seconds until there is enough."""
        return max(0.0, (cost - self._left) / self._rate)


class Window:
    """What was sent and is not known to be read. Servers buffer without end; this is the end.

    Every `ASK_EVERY` bytes a `ping` with a number goes along; the client's `pong` with that number says
    that it has read everything before.
    """

    def __init__(self) -> None:
        self.shut = False
        """Nothing more should be sent."""
        self._sent = 0
        self._read = 0
        self._asked = 0
        self._marks: dict[int, int] = {}
        """Numbers of unanswered pings, in order -> bytes sent before each."""
        self._oldest = 0.0

    def sent(self, size: int) -> int | None:
        """Count what was sent; the number to ask with, when it is time to ask."""
        self._sent += size
        if self._sent - self._read > MOST_UNREAD:
            self.shut = True
        if self._sent - (next(reversed(self._marks.values())) if self._marks else self._read) < ASK_EVERY:
            return None
        self._asked += 1
        if not self._marks:
            self._oldest = time.monotonic()
        self._marks[self._asked] = self._sent
        return self._asked

    def read(self, number: object) -> bool:
        """The client has read up to this ping; whether that opened the window again."""
        if not isinstance(number, int) or number not in self._marks:
            return False
        for mark in [mark for mark in self._marks if mark <= number]:
            self._read = self._marks.pop(mark)
        self._oldest = time.monotonic()
        if self.shut and self._sent - self._read < GO_ON_BELOW:
            self.shut = False
            return True
        return False

    @property
    def overdue(self) -> bool:
        """Whether the client fell behind and has answered no ping for too long."""
        return self.shut and time.monotonic() - self._oldest > PATIENCE
