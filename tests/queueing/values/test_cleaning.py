"""Values from handlers and errors become what every store and socket accepts (E8, E15, E20)."""

import datetime
import decimal
import json
from enum import IntEnum, StrEnum
from itertools import pairwise

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.values.cleaning import MAX_DEPTH, as_json, clean_text

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary()
    | st.decimals(allow_nan=False)
)
ANY_VALUE = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(SCALARS, inner) | st.frozensets(SCALARS)
    ),
    max_leaves=10,
)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_keeps_the_number_of_characters(text):
    cleaned = clean_text(text)
    assert "\0" not in cleaned
    cleaned.encode()
    pairs = sum("\ud800" <= a <= "\udbff" and "\udc00" <= b <= "\udfff" for a, b in pairwise(text))
    assert len(cleaned) == len(text) - pairs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("a\0b", "a\ufffdb"),
        ("é\0", "é\ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("\ud83d\ude00", "😀"),
        (Unspeakable(), "<Unspeakable without a text>"),
        (7, "7"),
    ],
)
def test_clean_text_of_hostile_values(value, text):
    assert clean_text(value) == text


def test_clean_text_is_cut_at_its_limit():
    assert clean_text("x" * 100, 64) == "x" * 63 + "…"
    assert clean_text("x" * 64, 64) == "x" * 64


@given(ANY_VALUE)
def test_as_json_gives_what_every_form_gives_back_or_refuses(value):
    try:
        found = as_json(value)
    except ValueError:
        return
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert json.loads(text) == found
    assert "\\u0000" not in json.dumps(found).replace("\\\\", "")
    assert msgpack.unpackb(msgpack.packb(found)) == found


@pytest.mark.parametrize(
    "value",
    [
        2**70,
        -(2**64),
        float("nan"),
        float("inf"),
        {1, 2},
        b"bytes",
        datetime.datetime(2026, 1, 1),
        decimal.Decimal("1.5"),
        {(1, 2): 3},
        {1: "a", "1": "b"},
        object(),
    ],
)
def test_as_json_refuses_what_is_not_json(value):
    with pytest.raises(ValueError, match=r"."):
        as_json({"n": [value]})


def test_as_json_refuses_deep_values_and_takes_shallow_ones():
    deep = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert as_json(deep) == deep
    with pytest.raises(ValueError, match="levels deep"):
        as_json([deep])


def test_as_json_takes_what_json_takes():
    value = {"t": (1, 2), 3: Colour.RED, None: Number.ONE, "big": 2**64 - 1, "f": 0.5, "half": "\ud800"}
    assert as_json(value) == {
        "t": [1, 2],
        "3": "red",
        "null": 1,
        "big": 2**64 - 1,
        "f": 0.5,
        "half": "\ufffd",
    }
    assert type(as_json(Number.ONE)) is int
