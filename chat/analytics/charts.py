"""The staff page's tiles and plots, made of figures."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from chat.companions.registry import COMPANIONS
from queueing.api import charts
from queueing.api.charts import Plot, Series, formats, histogram

from .costs import Costs
from .figures import Figures
from .rollups import HOUR


class Tile(NamedTuple):
    """A number worth seeing first."""

    name: str
    value: str
    more: str = ""


def tiles(figures: Figures, costs: Costs) -> list[Tile]:
    """The span in a few numbers."""
    ended = sum(figures.completed) + sum(figures.failed)
    failed, given = sum(figures.failed), sum(figures.up) + sum(figures.down)
    found = [
        Tile("Messages", formats.count(sum(figures.messages))),
        _visitors_tile(figures),
        _duration_tile("Wait for a reply", figures.waits),
        _duration_tile("Time to write it", figures.runs),
        Tile("Failed", _share(failed, ended), f"{formats.count(failed)} of {formats.count(ended)}"),
        Tile("Thumbs up", _share(sum(figures.up), given), f"{formats.count(given)} given"),
    ]
    if any(figures.cached):
        found.append(Tile("Answered from cache", _share(sum(figures.cached), sum(figures.completed))))
    if costs.calls:
        found.append(_cost_tile(costs))
    return found


def _visitors_tile(figures: Figures) -> Tile:
    if figures.span.step == HOUR:
        yesterday, today = figures.visitors
        return Tile("Visitors today", formats.count(today), f"{formats.count(yesterday)} yesterday")
    mean = sum(figures.visitors) / len(figures.visitors)
    return Tile(
        "Visitors a day", formats.count(round(mean, 1)), f"{formats.count(max(figures.visitors))} at most"
    )


def _duration_tile(name: str, spreads: Sequence[dict[str, int]]) -> Tile:
    counts = histogram.merge(spreads)
    half, most = histogram.percentile(counts, 0.5), histogram.percentile(counts, 0.95)
    if half is None or most is None:
        return Tile(name, "–")
    return Tile(name, formats.seconds(half), f"95% within {formats.seconds(most)}")


def _cost_tile(costs: Costs) -> Tile:
    money = formats.money(sum(map(sum, costs.money.values())), costs.sign)
    unpriced = f", {formats.count(costs.unpriced)} without a price" if costs.unpriced else ""
    return Tile("Cost", money, f"{formats.count(costs.calls)} calls{unpriced}")


def _share(part: int, whole: int) -> str:
    return formats.share(part / whole) if whole else "–"


def drawings(figures: Figures, costs: Costs) -> list[Plot]:
    """The plots there is something to say about; most of them always."""
    given = [Series("up", "up", figures.up), Series("down", "down", figures.down)]
    found = [
        charts.bars(_plot(figures, "Messages", Series("messages", "accent", figures.messages))),
        charts.bars(_visitors(figures)),
        charts.lines(_durations(figures, "Wait for a reply", figures.waits)),
        charts.lines(_durations(figures, "Time to write it", figures.runs)),
        charts.bars(_plot(figures, "Failed replies", Series("failed", "down", figures.failed))),
        charts.bars(_plot(figures, "Feedback", *given)),
    ]
    if any(figures.cached):
        found.append(charts.lines(_cached(figures)))
    if costs.calls:
        found.append(charts.bars(_costs(figures, costs), whole=False, least=0.001))
    return found


def _plot(
    figures: Figures,
    title: str,
    *series: Series,
    say: formats.Say = formats.count,
    in_full: formats.Say = formats.whole,
) -> Plot:
    hourly = figures.span.step == HOUR
    return Plot(
        title=title,
        x_name="Hour" if hourly else "Day",
        labels=[_label(start, hourly) for start in figures.starts],
        series=list(series),
        say=say,
        say_in_full=in_full,
    )


def _label(start: datetime, hourly: bool) -> str:
    return f"{start:%H}:00" if hourly else f"{start:%b} {start.day}"


def _visitors(figures: Figures) -> Plot:
    labels = [_label(day, hourly=False) for day in figures.days]
    series = Series("visitors", "accent", figures.visitors)
    return Plot(
        title="Active visitors",
        x_name="Day",
        labels=labels,
        series=[series],
        say=formats.count,
        say_in_full=formats.whole,
    )


def _durations(figures: Figures, title: str, spreads: Sequence[dict[str, int]]) -> Plot:
    half = Series("half within", "accent", [histogram.percentile(spread, 0.5) for spread in spreads])
    most = Series("95% within", "most", [histogram.percentile(spread, 0.95) for spread in spreads])
    return _plot(figures, title, half, most, say=formats.seconds, in_full=formats.seconds)


def _cached(figures: Figures) -> Plot:
    pairs = zip(figures.cached, figures.completed, strict=True)
    shares = [cached / completed if completed else None for cached, completed in pairs]
    return _plot(
        figures,
        "Answered from cache",
        Series("from cache", "accent", shares),
        say=formats.share,
        in_full=formats.share,
    )


def _costs(figures: Figures, costs: Costs) -> Plot:
    series = [Series(name_of(who), who, money) for who, money in sorted(costs.money.items()) if any(money)]
    nothing = Series("cost", "accent", [0.0] * len(figures.starts))
    say, in_full = (partial(words, sign=costs.sign) for words in (formats.money, formats.cents))
    return _plot(figures, "Cost", *(series or [nothing]), say=say, in_full=in_full)


class Table(NamedTuple):
    """Names and how often."""

    title: str
    rows: list[tuple[str, str]]


def tables(figures: Figures, costs: Costs, care: list[tuple[str, str, int]]) -> list[Table]:
    """What has no course over time, or none worth a plot; the failures always."""
    counts = {
        "Failures by reason": figures.failures.most_common(),
        "Tokens": [(name_of(who), number) for who, number in sorted(costs.tokens.items())],
        "Help was offered": [(f"{name_of(who)}, {level}", number) for who, level, number in care],
        "Also counted": figures.others.most_common(),
    }
    found = [
        Table(title, [(n, formats.whole(number)) for n, number in rows]) for title, rows in counts.items()
    ]
    return found[:1] + [table for table in found[1:] if table.rows]


def name_of(companion: str) -> str:
    """What a companion is called; those that are no longer here, by their id."""
    known = COMPANIONS.get(companion)
    return known.name if known else companion or "no companion"
