"""Attention for the browser: bytes that give the weights back, and choices that stay out of them."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import streamlit as st

from pages._ui import heads, linked


def unpacked(payload: bytes):
    """The header and the cells of a grid or of one matrix."""
    (length,) = struct.unpack("<I", payload[:4])
    assert length % 4 == 0
    head = json.loads(payload[4 : 4 + length])
    if head["kind"] == "grid":
        cells = np.frombuffer(payload[4 + length :], dtype=np.uint8)
        return head, cells.reshape(head["nLayers"], head["nHeads"], head["side"], head["side"])
    n_entries = len(head["entries"])
    return head, np.frombuffer(payload[4 + length :], dtype="<f4").reshape(n_entries, n_entries)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.full(shape[-1], 0.1), size=shape[:-1]).astype(np.float32)


def test_a_byte_stands_for_the_square_root_of_its_weight():
    pattern = draw(2, 3, 40, 40)
    cells = heads.thumbnails(pattern)
    assert cells.shape == pattern.shape
    assert np.abs((cells / 255.0) - np.sqrt(pattern)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("n", [101, 163, 512])
def test_a_cell_of_a_long_text_is_the_largest_weight_of_its_block(n):
    pattern = draw(1, 2, n, n)
    cells = heads.thumbnails(pattern)
    side = heads.side_of(pattern)
    assert cells.shape == (1, 2, side, side) and side <= 100
    block = np.arange(n)
    edges = np.arange(side) * n // side
    owner = np.searchsorted(edges, block, side="right") - 1
    for row, column in ((0, 0), (side - 1, side - 1), (17, 42)):
        largest = pattern[:, :, owner == row][..., owner == column].max((-1, -2))
        assert np.abs(cells[:, :, row, column] / 255.0 - np.sqrt(largest)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("n_layers", "n_heads", "n"), [(6, 12, 100), (6, 12, 512), (12, 12, 512), (24, 16, 512)])
def test_all_heads_together_are_at_most_a_megabyte_and_a_half(n_layers, n_heads, n):
    pattern = np.broadcast_to(np.float32(1 / n), (n_layers, n_heads, n, n))
    side = heads.side_of(pattern)
    assert n_layers * n_heads * side**2 <= heads.MAX_GRID_BYTES < 1.5e6
    assert side == 100 or n_layers * n_heads > 140


@pytest.mark.parametrize("place", [(0, 0), (2, 6), (11, 11)])
def test_the_name_of_a_head_gives_the_head_back(place):
    assert heads.read_head(heads.name_head(*place)) == place


@pytest.fixture
def sent(monkeypatch):
    """What elements send, without a server; `sent.say(key, name, value)` lets the browser say something."""

    class Sent(list):
        def say(self, key: str, name: str, value: object) -> None:
            st.session_state[key] = {name: value}
            next(one for one in self if one["key"] == key)[f"on_{name}_change"]()

    calls = Sent()
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(heads, "_grid", lambda **given: calls.append(given))
    monkeypatch.setattr(heads, "_matrix", lambda **given: calls.append(given))
    return calls


def draw_grid():
    cells = heads.thumbnails(draw(2, 3, 4, 4))
    heads.head_grid("g", cells, ("x", "y"), notes=["n"] * 6, n_entries=4, group="t", head_key="head")


def draw_one(values: np.ndarray, **more):
    matrix = heads.Matrix("T", values, "share", "looks", "is looked at", "What {} looks at", 0.5)
    entries = heads.Entries(("[CLS]", "x\u202e", "y"), np.array([-1, 0, 1]))
    heads.word_matrix("m", matrix, entries, ("x\u202e", "y"), group="t", selected_word=1, **more)


def test_one_matrix_is_sent_exactly_with_its_entries_spelled_out(sent):
    values = draw(3, 3)
    draw_one(values, head=(1, 2))
    head, cells = unpacked(sent[0]["data"])
    assert np.array_equal(cells, values)
    assert head["entries"] == ["[CLS]", "x\\u202e", "y"]
    assert (head["wordOfEntry"], head["head"], head["limit"]) == ([-1, 0, 1], [1, 2], 0.5)


def test_a_click_on_a_head_is_kept_and_never_travels_with_the_bytes(sent):
    draw_grid()
    sent.say("g", "head", [1, 2])
    assert st.session_state["head"] == "2.3"
    draw_grid()
    assert sent[0]["data"] == sent[1]["data"]


def test_a_click_on_a_row_chooses_its_word(sent):
    draw_one(draw(3, 3))
    sent.say("m", "word", 0)
    assert linked.chosen_word("t", ("x\u202e", "y")) == 0


@pytest.mark.parametrize("said", [None, "1.2", [1], [9, 0], [0, 9], [None, None], {"layer": 1}, [-1, 0], [True, 0]])
def test_nonsense_about_a_head_chooses_nothing(sent, said):
    draw_grid()
    sent.say("g", "head", said)
    assert "head" not in st.session_state


@pytest.mark.parametrize("said", [None, "x", [0], -1, 7, True, float("nan")])
def test_nonsense_about_a_word_chooses_nothing(sent, said):
    draw_one(draw(3, 3))
    sent.say("m", "word", said)
    assert linked.chosen_word("t", ("x\u202e", "y"), default=-5) == -5
