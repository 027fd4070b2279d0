"""The live screen: its views, the selected row, and the handling of keys."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.text import Text

from queueing.monitoring import failures

from . import actions, columns, tables, texts
from .actions import PendingAction
from .poller import Poller, Snapshot
from .terminal import Terminal

_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1}
_VIEWS = {"f": "failures", "a": "jobs", "?": "help", "escape": "queues"}
#: The maximum number of lines of a message above the line of keys.
_MAX_MESSAGE = 3


class Monitor:
    """The screen of one terminal. `actor` is the name in the audit log."""

    def __init__(self, terminal: Terminal, interval: float, actor: str) -> None:
        self._terminal = terminal
        self._interval = interval
        self._actor = actor
        self._poller = Poller(interval, terminal.wake)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._running: Future[str] | None = None
        self._pending: PendingAction | None = None
        """The action that waits for a confirmation."""
        self._message = ""
        self._view = "queues"
        self._selected: dict[str, object] = {}
        """View -> the identity of its selected row, which survives when rows appear and disappear."""

    def run(self) -> None:
        """Show the screen until `q` is pressed. A running action is finished first."""
        self._poller.start()
        try:
            while True:
                self._collect_result()
                self._terminal.draw(self.render())
                for key in self._terminal.keys(timeout=1.0):
                    if key == "q" and not self._pending:
                        return
                    self._press(key)
                    if self._pending:
                        break  # keys that were typed or pasted before the question was shown are no answer
        finally:
            self._poller.stop()
            self._pool.shutdown()

    def _collect_result(self) -> None:
        if self._running and self._running.done():
            self._message, self._running = self._running.result(), None
            self._poller.poll_now()

    def _press(self, key: str) -> None:
        if self._pending:
            self._answer(key)
            return
        self._message = ""
        if key in _MOVES:
            self._move(_MOVES[key])
        elif key in _VIEWS:
            self._view = self._poller.view = _VIEWS[key]
            self._poller.poll_now()
        elif rows := self._rows():
            self._choose(actions.for_key(self._view, key, rows[self._row], self._actor))

    def _answer(self, key: str) -> None:
        pending, self._pending = self._pending, None
        if pending and key == "y":
            self._start(pending)
        else:
            self._message = texts.NOT_CONFIRMED

    def _move(self, by: int) -> None:
        if rows := self._rows():
            self._selected[self._view] = _identity(rows[max(0, min(self._row + by, len(rows) - 1))])

    def _choose(self, action: PendingAction | None) -> None:
        if action and action.question:
            self._pending = action
        elif action:
            self._start(action)

    @property
    def _row(self) -> int:
        """The number of the selected row; 0 if it has disappeared."""
        identities = [_identity(row) for row in self._rows()]
        selected = self._selected.get(self._view)
        return identities.index(selected) if selected in identities else 0

    def _rows(self) -> Sequence[Any]:
        snapshot = self._poller.snapshot
        queues = snapshot.overview["queues"] if snapshot.overview else []
        return {"queues": queues, "failures": snapshot.groups, "jobs": snapshot.jobs, "help": []}[self._view]

    def _start(self, action: PendingAction) -> None:
        if self._running:
            self._message = texts.BUSY
            return
        self._running = self._pool.submit(action.run)
        self._running.add_done_callback(lambda _: self._terminal.wake())

    def render(self) -> RenderableType:
        """Return the screen as it is now."""
        width, height = self._terminal.console.size
        message, footer_lines = self._message_lines(width)
        footer = Layout(
            Group(message, Text(texts.KEYS[self._view], "dim", no_wrap=True, overflow="ellipsis"))
        )
        footer.size = footer_lines
        snapshot = self._poller.snapshot
        if self._view == "help":
            return _stacked(Layout(Text(texts.HELP)), footer)
        if not snapshot.overview:
            return _stacked(Layout(tables.literal(snapshot.problem or texts.LOADING, "yellow")), footer)
        top, top_lines = self._top(snapshot, snapshot.overview, max(1, height // 4))
        workers = snapshot.overview["workers"][: max(0, (height - top_lines) // 3)]
        worker_lines = len(workers) + 2 if workers else 0
        body = self._body(snapshot.overview, width, height - top_lines - worker_lines - footer_lines)
        parts = [Layout(top, size=top_lines), Layout(body)]
        if workers:
            parts.append(Layout(tables.table(columns.WORKERS, workers, width), size=worker_lines))
        return _stacked(*parts, footer)

    def _top(
        self, snapshot: Snapshot, overview: dict[str, Any], max_warnings: int
    ) -> tuple[RenderableType, int]:
        """Return the first line and the warnings, and their number of lines."""
        when = time.strftime("%H:%M:%S", time.localtime(snapshot.at))
        parts = [tables.head(overview, when=f"{when}  every {self._interval:g} s")]
        if snapshot.problem:
            parts.append(tables.literal(f"!! {snapshot.problem}", "bold red"))
        if overview["warnings"]:
            parts.append(tables.warnings(overview, max_warnings))
        lines = 2 + bool(snapshot.problem) + min(len(overview["warnings"]), max_warnings)
        return Group(*parts, Text()), lines

    def _body(self, overview: dict[str, Any], width: int, height: int) -> RenderableType:
        rows, first = self._rows(), max(0, self._row - height + 2)
        visible, selected = rows[first : first + max(1, height - 1)], self._row - first
        if self._view == "queues":
            return tables.queues(overview | {"queues": visible}, width, selected)
        if not rows:
            return Text(texts.NO_FAILURES if self._view == "failures" else texts.NO_ACTIVE_JOBS, "dim")
        if self._view == "jobs":
            return tables.table(columns.JOBS, visible, width, selected)
        return tables.table(columns.FAILURES, [_as_row(group) for group in visible], width, selected)

    def _message_lines(self, width: int) -> tuple[Text, int]:
        """Return the message above the keys, and the lines that both take together."""
        message, style = self._message, ""
        if self._pending:
            message, style = f"y/n  {self._pending.question}", "bold yellow"
        elif self._running:
            message = texts.RUNNING
        text = tables.literal(message, style)
        lines = len(text.wrap(self._terminal.console, width))
        return text, 1 + max(1, min(lines, _MAX_MESSAGE))


def _identity(row: Any) -> object:
    """Return the identity of a queue, a job or a group of failures."""
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
