"""The result of `queue_health` as tables of rich. Colours repeat what words say."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from queueing.monitoring import health
from queueing.values.cleaning import escape_unprintable

from .columns import HISTORY, QUEUES, STYLES, WORKERS, Column, Row

_MARKS = {health.OK: "ok", health.WARNING: "!", health.CRITICAL: "!!"}


def head(overview: Row, *, when: str) -> Text:
    """Return the first line: the health, Redis and the workers, as of `when`."""
    level = overview["health"]
    line = Text.assemble(
        ("queues ", "bold"), (level, f"{STYLES[level]} reverse"), "  ", no_wrap=True, overflow="ellipsis"
    )
    workers = overview["workers"]
    running, slots = (sum(worker[what] for worker in workers) for what in ("running", "slots"))
    known = overview["redis"] == "ok"
    line.append(f"redis {'ok' if known else 'unavailable'}  ", "" if known else STYLES[health.CRITICAL])
    if known:
        line.append(f"workers {len(workers)}  slots {running}/{slots}  ")
    return line.append(when, "dim")


def warnings(overview: Row, max_lines: int) -> Text:
    """Return at most `max_lines` lines, the worst first; the last line counts the warnings left out."""
    found = overview["warnings"]
    shown = found if len(found) <= max_lines else found[: max(0, max_lines - 1)]
    lines = []
    for warning in shown:
        level = warning["level"]
        lines.append(
            Text.assemble((f"{_MARKS[level]:2} {level:8} ", STYLES[level]), literal(warning["text"]))
        )
    if len(found) > len(shown):
        lines.append(Text(f"   and {len(found) - len(shown)} more warnings", "dim"))
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


def table(columns: Sequence[Column], rows: Sequence[Row], width: int, selected: int | None = None) -> Table:
    """Return the rows with as many columns as fit; the `selected` row is marked."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", collapse_padding=True)
    drawn.add_column("", width=1)
    columns = [column for column in columns if width >= column.min_width]
    for column in columns:
        drawn.add_column(
            column.heading, justify="left" if column.left else "right", no_wrap=True, overflow="ellipsis"
        )
    for number, row in enumerate(rows):
        is_selected = number == selected
        drawn.add_row(
            ">" if is_selected else "",
            *(literal(column.cell(row)) for column in columns),
            style="reverse" if is_selected else "",
        )
    return drawn


def literal(text: Text | str, style: str = "") -> Text:
    """Return a text as it is drawn. It may come from people: rich would read `[red]` in it as a style."""
    if isinstance(text, Text):
        return Text(escape_unprintable(text.plain), text.style)
    return Text(escape_unprintable(text), style)


def once(overview: Row, *, when: str, width: int) -> RenderableType:
    """Return all tables in full height, for pipes, logs and `--once`."""
    parts: list[RenderableType] = [head(overview, when=when)]
    if overview["warnings"]:
        parts += [Text(), warnings(overview, len(overview["warnings"]))]
    parts += [Text(), queues(overview, width)]
    if overview["workers"]:
        parts += [Text(), table(WORKERS, overview["workers"], width)]
    return Group(*parts)


def queues(overview: Row, width: int, selected: int | None = None) -> Table:
    """Return the table of queues; only their history while Redis is unavailable."""
    return table(QUEUES if overview["redis"] == "ok" else HISTORY, overview["queues"], width, selected)
