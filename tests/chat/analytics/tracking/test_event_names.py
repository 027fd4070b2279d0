"""Valid names and properties of events, safe CSV cells, and hashed visitors."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.analytics.staff_page import export
from chat.analytics.tracking import batches, event_names
from chat.analytics.tracking.privacy import has_do_not_track
from chat.errors import InvalidInput


@pytest.mark.parametrize(
    "name", [*sorted(event_names.CLIENT_EVENTS), "x:a", "x:button-pressed_2", "x:" + "a" * 38]
)
def test_client_name_valid_passes(name):
    event_names.check_client_name(name)


@pytest.mark.parametrize(
    "name", ["", "reply.completed", "message.sent", "x:", "x:Ada", "x:a b", "x:" + "a" * 39, "y:a", "x:a\n"]
)
def test_client_name_invalid_is_refused(name):
    with pytest.raises(InvalidInput) as refused:
        event_names.check_client_name(name)
    assert refused.value.field == "name"
    assert "prompt.used" in refused.value.message


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"a": 10**12}, "properties.a"),
        ({"a": float("nan")}, "properties.a"),
        ({"a": float("-inf")}, "properties.a"),
        ({"a": "x" * 65}, "properties.a"),
        ({"a": "two\nlines"}, "properties.a"),
        ({"a": {"nested": 1}}, "properties.a"),
        ({"a": [1]}, "properties.a"),
        ({"a": None}, "properties.a"),
        ({"": 1}, "properties"),
        ({"1a": 1}, "properties"),
        ({"a" * 33: 1}, "properties"),
        ({f"a{n}": n for n in range(11)}, "properties"),
    ],
)
def test_property_invalid_is_refused_with_its_field(properties, field):
    with pytest.raises(InvalidInput) as refused:
        event_names.check("x:a", properties)
    assert refused.value.field == field


def test_properties_of_all_valid_types_pass():
    event_names.check("x:a", {"n": -1.5, "text": "grün 🙂", "yes": True, "most": 10**12 - 1} | {"e": ""})


formulas = st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n"])


@given(st.lists(st.builds(str.__add__, formulas, st.text()), min_size=1))
def test_csv_cells_start_no_formula_and_keep_their_text(cells):
    line = csv.writer(out := io.StringIO())
    line.writerow([export.escape_formula(cell) for cell in cells])
    (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)
    assert [
        cell.removeprefix("'") if cell != given else cell for cell, given in zip(row, cells, strict=True)
    ] == cells


def test_visitor_hash_is_stable_within_a_day_and_changes_the_next(monkeypatch):
    monkeypatch.setattr(batches, "_salts", {date(2026, 11, 1): b"a" * 32, date(2026, 11, 2): b"b" * 32})
    first, again, next_day, other = (
        batches._visitor_hash("s:ada", date(2026, 11, 1)),
        batches._visitor_hash("s:ada", date(2026, 11, 1)),
        batches._visitor_hash("s:ada", date(2026, 11, 2)),
        batches._visitor_hash("s:bob", date(2026, 11, 1)),
    )
    assert first == again
    assert len({first, next_day, other}) == 3
    assert len(first) == 24
    assert "ada" not in first


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([(b"dnt", b"1")], True),
        ([(b"DNT", b" 1 ")], True),
        ([(b"sec-gpc", b"1")], True),
        ([(b"dnt", b"0"), (b"accept", b"1")], False),
        ([(b"dnt", b"null")], False),
    ],
)
def test_do_not_track_headers_are_recognized(headers, expected):
    assert has_do_not_track(headers) is expected
