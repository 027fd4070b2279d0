"""What visitors send: kinds of jobs, and kinds of visitors."""

import math
from typing import NamedTuple


class Work(NamedTuple):
    """A kind of job: its queue, its share of all messages, and the median and spread of its run time."""

    queue: str
    share: float
    median: float
    spread: float = 0.5

    @property
    def mean(self) -> float:
        """The mean run time; its logarithm is normal."""
        return self.median * math.exp(self.spread**2 / 2)


WORK = (Work("chat", 0.94, 4.0), Work("audio", 0.05, 3.0), Work("documents", 0.01, 20.0, 0.8))
#: A title follows a fifth of the answers of the chat.
TITLES, TITLE = 0.2, Work("titles", 0.0, 1.0)


class Kind(NamedTuple):
    """A kind of visitor: its share of all visitors and of all messages, and what one sends at once."""

    name: str
    visitors: float
    messages: float
    at_once: int = 1
    network: int = 0
    """Visitors without accounts who share a network; 0: each is a user or has a network of their own."""


KINDS = (
    Kind("one question at a time", 0.98, 0.78),
    Kind("20 questions at once", 0.01, 0.20, at_once=20),
    Kind("100 visitors in one network", 0.01, 0.02, network=100),
)
