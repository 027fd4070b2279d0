"""A client that follows docs/protocol.md, and a channel layer that loses events."""

import random
from dataclasses import dataclass, field
from typing import Any

from queueing.events.channel_layer import PubSubLayer
from queueing.events.inbox import BoundedInbox
from tests.chat.browser import Browser, Tab

ENDINGS = ("chat:completed", "chat:failed", "chat:cancelled")


@dataclass
class Reading:
    """One job's answer, put together by the rules of “Putting an answer together”."""

    job_id: str
    run: int = 0
    text: str = ""
    ending: dict[str, Any] | None = None
    runs: list[int] = field(default_factory=list)
    """Every run that was announced, in order."""
    gaps: int = 0

    def add(self, event: dict[str, Any]) -> bool:
        """Add one event; return whether it shows that something is missing."""
        if event.get("jobId") != self.job_id or event.get("run", self.run) < self.run:
            return False
        if event.get("run", self.run) > self.run:
            self.run, self.text = event["run"], ""
            self.runs.append(self.run)
        if event["type"] == "chat:delta":
            if event["offset"] > len(self.text):
                self.gaps += 1
                return True
            self.text += event["text"][len(self.text) - event["offset"] :]
        if event["type"] in ENDINGS:
            assert self.ending is None, f"a second end: {event}"
            self.ending = event
        return False

    async def watch(self, tab: Tab) -> None:
        """Request what was missed."""
        place = {"run": self.run, "offset": len(self.text)} if self.run else {}
        await tab.send_message(type="job:watch", jobId=self.job_id, **place)

    async def follow(self, tab: Tab, length: float = float("inf")) -> None:
        """Read until there are `length` characters, or the end."""
        while self.ending is None and len(self.text) < length:
            if self.add(await tab.receive_event(20)):
                await self.watch(tab)


async def read_with_cuts(browser: Browser, reading: Reading, texts: list[str], dice: random.Random) -> int:
    """Follow a job to its end over a socket that disconnects at random places. Return the number of cuts.

    At any moment what was read begins one of `texts`, the answers of its runs.
    """
    cuts = 0
    while True:
        tab = await browser.open()
        await reading.watch(tab)
        await reading.follow(tab, len(reading.text) + dice.randint(1, 80))
        assert any(text.startswith(reading.text) for text in texts)
        await tab.disconnect()
        if reading.ending:
            return cuts
        cuts += 1


class LossyLayer(PubSubLayer):
    """A layer that loses every third engine event, as a full channel or a restarted Redis can."""

    lost = 0
    dice = random.Random(4)

    def new_inbox(self) -> BoundedInbox:
        """Return an inbox that takes only what is not lost."""
        return _LossyInbox(self.deserialize)


class _LossyInbox(BoundedInbox):
    def put_nowait(self, item: bytes) -> None:
        is_engine_event = self._deserialize(item)["type"] == "queue.event"
        if is_engine_event and LossyLayer.dice.random() < 1 / 3:
            LossyLayer.lost += 1
        else:
            super().put_nowait(item)
