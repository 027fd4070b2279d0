"""Ticks of axes, formats of numbers, and plots as valid XML inside their frame."""

import math
import xml.etree.ElementTree as ET

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from queueing.monitoring.charts import formats, plots
from queueing.monitoring.charts.plot import Plot, Series

numbers = st.floats(0, 1e15, allow_nan=False) | st.integers(0, 10**18)
values = st.lists(numbers | st.none(), min_size=1, max_size=100)
SVG = "{http://www.w3.org/2000/svg}"


@given(st.floats() | st.integers(-5, 10**30), st.booleans())
def test_ticks_cover_greatest_value_in_few_even_steps(most, whole):
    marks = formats.ticks(most, whole=whole)
    assert marks[0] == 0
    assert 2 <= len(marks) <= 6
    if 1e-9 <= most <= 1e300:
        assert marks[-1] >= most * (1 - 1e-6)
        assert whole or marks[-2] < most or math.isclose(marks[-2], most)
    step = marks[1]
    assert all(math.isclose(mark, number * step) for number, mark in enumerate(marks))
    if whole:
        assert all(mark == round(mark) for mark in marks)


@pytest.mark.parametrize(
    ("most", "marks"),
    [(0, [0, 1]), (1, [0, 1]), (7, [0, 2, 4, 6, 8]), (10, [0, 3, 6, 9, 12]), (100, [0, 25, 50, 75, 100])],
)
def test_ticks_with_whole_are_whole_numbers(most, marks):
    assert formats.ticks(most, whole=True) == marks


@pytest.mark.parametrize(
    ("said", "is_"),
    [
        (formats.count(0), "0"),
        (formats.count(0.5), "0.5"),
        (formats.count(999), "999"),
        (formats.count(1234), "1.2k"),
        (formats.count(9_999_999), "10M"),
        (formats.count(999_600), "1M"),
        (formats.count(12_300_000_000), "12B"),
        (formats.count(1e18), "1e18"),
        (formats.seconds(0), "0 s"),
        (formats.seconds(0.05), "50 ms"),
        (formats.seconds(0.9999), "1 s"),
        (formats.seconds(2.34), "2.3 s"),
        (formats.seconds(150), "2.5 min"),
        (formats.seconds(10_000), "2.8 h"),
        (formats.seconds(400_000), "4.63 d"),
        (formats.share(0), "0%"),
        (formats.share(0.034), "3.4%"),
        (formats.share(1), "100%"),
        (formats.money(0), "$0.00"),
        (formats.money(0.00421), "$0.0042"),
        (formats.money(3.2), "$3.20"),
        (formats.money(0.00002), "$0.00002"),
        (formats.money(0.5), "$0.50"),
        (formats.money(12_345), "$12k"),
        (formats.cents(12_345.678), "$12,345.68"),
        (formats.cents(0.00421), "$0.0042"),
        (formats.whole(1_234_567), "1,234,567"),
    ],
)
def test_formats_give_expected_texts(said, is_):
    assert said == is_


@given(numbers)
def test_formats_give_short_texts(value):
    for say in (formats.count, formats.seconds, formats.money):
        assert len(say(value)) <= 9, say(value)


def drawn(plot: Plot) -> ET.Element:
    """Return the parsed figure."""
    page = render_to_string("queueing/_plot.html", {"plot": plot})
    # The page puts SVG into its namespace itself.
    return ET.fromstring(page.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" '))


def plot_of(*series: Series, labels: list[str] | None = None) -> Plot:
    names = labels or [f"Nov {n}" for n in range(len(series[0].values))]
    return Plot(
        title="Some <things> & more",
        x_title="Day",
        labels=names,
        series=list(series),
        format_short=formats.count,
        format_full=formats.whole,
    )


def assert_inside(figure: ET.Element) -> None:
    for rect in figure.iter(f"{SVG}rect"):
        if "x" not in rect.attrib:
            continue  # a key of the legend
        x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
        assert plots.LEFT - 0.1 <= x <= x + width <= plots.WIDTH - plots.RIGHT + 0.1
        assert plots.TOP - 0.1 <= y <= y + height <= plots.HEIGHT - plots.BOTTOM + 0.1
    for circle in figure.iter(f"{SVG}circle"):
        assert plots.LEFT <= float(circle.get("cx", "")) <= plots.WIDTH
        assert plots.TOP - 0.1 <= float(circle.get("cy", "")) <= plots.HEIGHT - plots.BOTTOM + 0.1


@given(values)
def test_bars_of_any_values_are_valid_xml_inside_frame(first):
    plot = plots.bars(plot_of(Series("up", "up", first), Series("down", "down", first[::-1])))
    figure = drawn(plot)
    assert_inside(figure)
    assert len(plot.bars) == 2 * sum(1 for value in first if value)
    assert len(figure.findall(".//tbody/tr")) == len(first)


@given(values)
def test_lines_of_any_values_are_valid_xml_inside_frame(first):
    plot = plots.lines(plot_of(Series("half", "accent", first)))
    assert_inside(drawn(plot))
    assert len(plot.lines[0].dots) == sum(1 for value in first if value is not None)


def test_line_has_gap_at_unknown_value():
    (line,) = plots.lines(plot_of(Series("half", "accent", [1, 2, None, 3, None, 4, 5]))).lines
    assert [piece.count(",") for piece in line.pieces] == [2, 2]
    assert len(line.dots) == 5


def test_stacked_bars_touch():
    lower, upper = plots.bars(plot_of(Series("a", "up", [3.0]), Series("b", "down", [1.0]))).bars
    assert lower.y == pytest.approx(upper.y + upper.height, abs=0.02)
    assert lower.y + lower.height == pytest.approx(plots.HEIGHT - plots.BOTTOM, abs=0.02)
    assert lower.height == pytest.approx(3 * upper.height, abs=0.1)


def test_empty_plot_says_no_data():
    figure = drawn(plots.bars(plot_of(Series("messages", "accent", [0, 0, 0]))))
    assert "No data in this period" in "".join(figure.itertext())
    assert "is empty" in "".join(figure.find(f".//{SVG}desc").itertext())


def test_plot_has_title_description_and_table():
    figure = drawn(plots.bars(plot_of(Series("messages", "accent", [3, 1_250, 40]))))
    drawing = figure.find(f"./{SVG}svg")
    assert drawing.get("role") == "img"
    named = {element.get("id"): "".join(element.itertext()) for element in drawing}
    title, about = (named[id_] for id_ in drawing.get("aria-labelledby").split())
    assert title == "Some <things> & more"
    assert about == "By day, from Nov 0 to Nov 2. messages: max. 1.2k, last 40. All values are in the table."
    assert [cell.text for cell in figure.iter("td")] == ["3", "1,250", "40"]
    assert not [element for element in figure.iter() if "style" in element.attrib]


@pytest.mark.parametrize("number", [1, 2, 3, 7, 24, 30, 90])
def test_x_axis_has_few_labels_with_the_last(number):
    plot = plots.bars(plot_of(Series("messages", "accent", [1.0] * number)))
    assert 1 <= len(plot.x_ticks) <= 5
    assert plot.x_ticks[-1].label == plot.labels[-1]


@pytest.mark.parametrize("number", [1, 2, 5, 60, 84, 90, 144])
@pytest.mark.parametrize("label", ["18:30", "Nov 29", "Nov 29 18:00"])
def test_x_axis_labels_do_not_overlap(number, label):
    plot = plot_of(Series("messages", "accent", [1.0] * number))
    plot.labels = [label] * number
    edges = []
    for tick in plots.bars(plot).x_ticks:
        width = 6.5 * len(label)
        left = tick.at - (width if tick.anchor == "end" else width / 2)
        edges += [left, left + width]
    assert edges == sorted(edges)
    assert edges[-1] <= plots.WIDTH
