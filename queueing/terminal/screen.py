"""The live screen: what is shown, which row is chosen, and what the keys do."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.text import Text

from queueing.monitoring import failures

from . import actions, tables
from .actions import Action
from .poller import Seen, Watcher
from .terminal import Terminal

_KEYS = {
    "queues": "p pause  r resume  t retry  D drain  C clean  f failed  a active  ? help  q quit",
    "failures": "t retry the group  escape back  ? help  q quit",
    "jobs": "X cancel  escape back  ? help  q quit",
    "help": "escape back  q quit",
}
_HELP = """
  up/down, k/j   choose a row
  p  r           pause, resume the chosen queue; what runs finishes
  t              run again: the chosen group of failures, or the queue's newest failed job
  f              failures, grouped by their cause
  a              active jobs
  q, Ctrl-C      quit

Capital letters are for what cannot be undone; they ask first.

  D              drain: cancel all that waits or is delayed in the chosen queue
  C              clean: remove the chosen queue's failed jobs from the record
  X              cancel the chosen active job

What is done here is on record under your name, as in the dashboard.
"""


class Monitor:
    """The screen of one terminal. `actor` is who its actions are recorded under."""

    def __init__(self, terminal: Terminal, interval: float, actor: str) -> None:
        self._terminal = terminal
        self._interval = interval
        self._actor = actor
        self._watcher = Watcher(interval, terminal.wake)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._doing: Future[str] | None = None
        self._asking: Action | None = None
        self._said = ""
        self._view = "queues"
        self._chosen: dict[str, object] = {}
        """By view, which row is chosen: not its number, for others come and go."""

    def run(self) -> None:
        """Returns when somebody quits; an action that is under way is finished first."""
        self._watcher.start()
        try:
            while True:
                self._hear()
                self._terminal.draw(self.picture())
                for key in self._terminal.keys(timeout=1.0):
                    if key == "q" and not self._asking:
                        return
                    self._press(key)
                    if self._asking:
                        break  # what was typed or pasted before the question was seen is no answer to it
        finally:
            self._watcher.stop()
            self._pool.shutdown()

    def _hear(self) -> None:
        """Of an action that is done."""
        if self._doing and self._doing.done():
            self._said, self._doing = self._doing.result(), None
            self._watcher.again()

    def _press(self, key: str) -> None:
        if self._asking:
            asked, self._asking = self._asking, None
            if key == "y":
                self._start(asked)
            else:
                self._said = "Nothing was done."
            return
        self._said = ""
        moves = {"up": -1, "k": -1, "down": 1, "j": 1}
        views = {"f": "failures", "a": "jobs", "?": "help", "escape": "queues"}
        if key in moves:
            if rows := self._shown():
                row = max(0, min(self._row + moves[key], len(rows) - 1))
                self._chosen[self._view] = _identity(rows[row])
        elif key in views:
            self._view = self._watcher.view = views[key]
            self._watcher.again()
        elif action := self._action(key):
            if action.question:
                self._asking = action
            else:
                self._start(action)

    @property
    def _row(self) -> int:
        """The number of the chosen row; 0 when it is gone."""
        identities = [_identity(row) for row in self._shown()]
        chosen = self._chosen.get(self._view)
        return identities.index(chosen) if chosen in identities else 0

    def _shown(self) -> Sequence[Any]:
        seen = self._watcher.seen
        queues = seen.overview["queues"] if seen.overview else []
        return {"queues": queues, "failures": seen.groups, "jobs": seen.jobs, "help": []}[self._view]

    def _action(self, key: str) -> Action | None:
        """What `key` does to the chosen row."""
        rows = self._shown()
        if not rows:
            return None
        chosen = rows[self._row]
        if self._view == "failures":
            return actions.retry_group(chosen, self._actor) if key == "t" else None
        if self._view == "jobs":
            return actions.cancel(chosen, self._actor) if key == "X" else None
        verbs: dict[str, Callable[[str, str], Action]] = {
            "p": actions.pause,
            "r": actions.resume,
            "t": actions.retry_newest,
            "D": actions.drain,
            "C": actions.clean,
        }
        return verbs[key](chosen["name"], self._actor) if key in verbs else None

    def _start(self, action: Action) -> None:
        if self._doing:
            self._said = "One thing at a time: the last is still being done."
            return
        self._doing = self._pool.submit(action.run)
        self._doing.add_done_callback(lambda _: self._terminal.wake())

    def picture(self) -> RenderableType:
        """The screen as it is now."""
        width, height = self._terminal.console.size
        foot = Layout(self._foot(), size=2)
        seen = self._watcher.seen
        if self._view == "help":
            return _stacked(Layout(Text(_HELP)), foot)
        if not seen.overview:
            return _stacked(Layout(Text(seen.problem or "Looking ...", "yellow")), foot)
        top, used = self._top(seen, seen.overview, max(1, height // 4))
        workers = seen.overview["workers"][: max(0, (height - used) // 3)]
        below = len(workers) + 2 if workers else 0
        body = Layout(self._body(seen.overview, width, height - used - below - 2))
        parts = [Layout(top, size=used), body]
        if workers:
            parts.append(Layout(tables.table(tables.WORKERS, workers, width), size=below))
        return _stacked(*parts, foot)

    def _top(self, seen: Seen, overview: dict[str, Any], most: int) -> tuple[RenderableType, int]:
        """How all is, with at most so many lines of warnings; and how many lines that is."""
        when = time.strftime("%H:%M:%S", time.localtime(seen.at))
        parts = [tables.head(overview, when=f"{when}  every {self._interval:g} s")]
        if seen.problem:
            parts.append(Text(f"!! {seen.problem}", "bold red"))
        if overview["warnings"]:
            parts.append(tables.warnings(overview, most))
        lines = 2 + bool(seen.problem) + min(len(overview["warnings"]), most)
        return Group(*parts, Text()), lines

    def _body(self, overview: dict[str, Any], width: int, height: int) -> RenderableType:
        rows, first = self._shown(), max(0, self._row - height + 2)
        visible, chosen = rows[first : first + max(1, height - 1)], self._row - first
        if self._view == "queues":
            return tables.queues(overview | {"queues": visible}, width, chosen)
        if not rows:
            nothing = {"failures": "Nothing has failed.", "jobs": "Nothing runs."}
            return Text(nothing[self._view], "dim")
        if self._view == "jobs":
            return tables.table(tables.JOBS, visible, width, chosen)
        return tables.table(tables.FAILURES, [_as_row(group) for group in visible], width, chosen)

    def _foot(self) -> Text:
        said, style = self._said, ""
        if self._asking:
            said, style = f"y/n  {self._asking.question}", "bold yellow"
        elif self._doing:
            said = "Doing it ..."
        keys = Text(f"\n{_KEYS[self._view]}", "dim")
        return Text.assemble((tables.plain(said), style), keys, no_wrap=True, overflow="ellipsis")


def _identity(row: Any) -> object:
    """Of a queue, a job or a group of failures."""
    if isinstance(row, failures.Group):
        return row.queue, row.kind, row.code
    return row.get("id") or row["name"]


def _as_row(group: failures.Group) -> dict[str, Any]:
    note = group.note.note if group.note else ""
    return vars(group) | {"ago": time.time() - group.last.timestamp(), "note": note}


def _stacked(*parts: Layout) -> Layout:
    whole = Layout()
    whole.split_column(*parts)
    return whole
