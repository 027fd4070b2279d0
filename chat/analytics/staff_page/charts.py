"""The tiles, plots and tables of the staff page."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from chat.analytics import texts
from chat.analytics.rollups import HOUR
from chat.companions import registry
from queueing.api import charts
from queueing.api.charts import Plot, Series, formats, histogram

from .costs import Costs
from .figures import Figures


class Tile(NamedTuple):
    """A key figure."""

    name: str
    value: str
    more: str = ""


def tiles(figures: Figures, costs: Costs) -> list[Tile]:
    """Return the key figures of the span."""
    ended = sum(figures.completed) + sum(figures.failed)
    failed, rated = sum(figures.failed), sum(figures.up) + sum(figures.down)
    found = [
        Tile(texts.MESSAGES, formats.count(sum(figures.messages))),
        _visitors_tile(figures),
        _duration_tile(texts.WAITING_TIME, figures.waits),
        _duration_tile(texts.WRITING_TIME, figures.durations),
        Tile(texts.FAILED, _share(failed, ended), f"{formats.count(failed)} of {formats.count(ended)}"),
        Tile(texts.THUMBS_UP, _share(sum(figures.up), rated), texts.of_ratings(formats.count(rated))),
    ]
    if any(figures.cached):
        found.append(Tile(texts.FROM_CACHE, _share(sum(figures.cached), sum(figures.completed))))
    if costs.calls:
        found.append(_cost_tile(costs))
    return found


def _visitors_tile(figures: Figures) -> Tile:
    if figures.span.step == HOUR:
        yesterday, today = figures.visitors
        return Tile(texts.VISITORS_TODAY, formats.count(today), texts.yesterday(formats.count(yesterday)))
    mean = sum(figures.visitors) / len(figures.visitors)
    maximum = texts.maximum(formats.count(max(figures.visitors)))
    return Tile(texts.VISITORS_PER_DAY, formats.count(round(mean, 1)), maximum)


def _duration_tile(name: str, histograms: Sequence[dict[str, int]]) -> Tile:
    counts = histogram.merge(histograms)
    p50, p95 = histogram.percentile(counts, 0.5), histogram.percentile(counts, 0.95)
    if p50 is None or p95 is None:
        return Tile(name, "–")
    return Tile(name, formats.seconds(p50), texts.median_and_p95(formats.seconds(p95)))


def _cost_tile(costs: Costs) -> Tile:
    money = formats.money(sum(map(sum, costs.money.values())), costs.sign)
    unpriced = formats.count(costs.unpriced) if costs.unpriced else ""
    return Tile(texts.COST, money, texts.calls(formats.count(costs.calls), unpriced))


def _share(part: int, whole: int) -> str:
    return formats.share(part / whole) if whole else "–"


def plots(figures: Figures, costs: Costs) -> list[Plot]:
    """Return the plots; those of the cache and of costs only when there are figures."""
    ratings = [Series("up", "up", figures.up), Series("down", "down", figures.down)]
    found = [
        charts.bars(_plot(figures, texts.MESSAGES, Series("messages", "accent", figures.messages))),
        charts.bars(_visitors(figures)),
        charts.lines(_durations(figures, texts.WAITING_TIME, figures.waits)),
        charts.lines(_durations(figures, texts.WRITING_TIME, figures.durations)),
        charts.bars(_plot(figures, texts.FAILED_REPLIES, Series("failed", "down", figures.failed))),
        charts.bars(_plot(figures, texts.FEEDBACK, *ratings)),
    ]
    if any(figures.cached):
        found.append(charts.lines(_cached(figures)))
    if costs.calls:
        found.append(charts.bars(_costs(figures, costs), whole=False, min_top=0.002))
    return found


def _plot(
    figures: Figures,
    title: str,
    *series: Series,
    say: formats.Format = formats.count,
    in_full: formats.Format = formats.whole,
) -> Plot:
    hourly = figures.span.step == HOUR
    return Plot(
        title=title,
        x_title="Hour" if hourly else "Day",
        labels=[_label(start, hourly) for start in figures.starts],
        series=list(series),
        format_short=say,
        format_full=in_full,
    )


def _label(start: datetime, hourly: bool) -> str:
    return f"{start:%H}:00" if hourly else f"{start:%b} {start.day}"


def _visitors(figures: Figures) -> Plot:
    labels = [_label(day, hourly=False) for day in figures.days]
    series = Series("visitors", "accent", figures.visitors)
    return Plot(
        title=texts.ACTIVE_VISITORS,
        x_title="Day",
        labels=labels,
        series=[series],
        format_short=formats.count,
        format_full=formats.whole,
    )


def _durations(figures: Figures, title: str, histograms: Sequence[dict[str, int]]) -> Plot:
    p50 = Series("p50", "accent", [histogram.percentile(counts, 0.5) for counts in histograms])
    p95 = Series("p95", "secondary", [histogram.percentile(counts, 0.95) for counts in histograms])
    return _plot(figures, title, p50, p95, say=formats.seconds, in_full=formats.seconds)


def _cached(figures: Figures) -> Plot:
    pairs = zip(figures.cached, figures.completed, strict=True)
    shares = [cached / completed if completed else None for cached, completed in pairs]
    return _plot(
        figures,
        texts.FROM_CACHE,
        Series("from cache", "accent", shares),
        say=formats.share,
        in_full=formats.share,
    )


def _costs(figures: Figures, costs: Costs) -> Plot:
    series = [Series(name_of(who), who, money) for who, money in sorted(costs.money.items()) if any(money)]
    empty = Series("cost", "accent", [0.0] * len(figures.starts))
    say, in_full = (partial(words, sign=costs.sign) for words in (formats.money, formats.cents))
    return _plot(figures, texts.COST, *(series or [empty]), say=say, in_full=in_full)


class Table(NamedTuple):
    """A table of names and numbers."""

    title: str
    rows: list[tuple[str, str]]


def tables(figures: Figures, costs: Costs, care: list[tuple[str, str, int]]) -> list[Table]:
    """Return the tables that have rows, and always that of the failures."""
    counts = {
        texts.FAILURES_BY_REASON: figures.failures.most_common(),
        texts.TOKENS: [(name_of(who), number) for who, number in sorted(costs.tokens.items())],
        texts.HELP_SHOWN: [(f"{name_of(who)}, {level}", number) for who, level, number in care],
        texts.OTHER_EVENTS: figures.others.most_common(),
    }
    found = [
        Table(title, [(n, formats.whole(number)) for n, number in rows]) for title, rows in counts.items()
    ]
    return found[:1] + [table for table in found[1:] if table.rows]


def name_of(companion: str) -> str:
    """Return the name of a companion, also of a removed one; another text for none."""
    return registry.name_of(companion) if companion else texts.NO_COMPANION
