"""State maps: bytes for the browser that give the values back, and a choice that stays out of them."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import streamlit as st

from explorer_core.results import UnitOrder
from pages._ui import linked, maps


def unpacked(payload: bytes):
    (length,) = struct.unpack("<I", payload[:4])
    assert length % 4 == 0
    head = json.loads(payload[4 : 4 + length])
    cells = np.frombuffer(payload[4 + length :], dtype=np.uint8)
    return head, cells.reshape(len(head["panels"]), head["nUnits"], len(head["columns"]))


@pytest.mark.parametrize(
    ("kind", "limit", "low"), [("signed", 2.0, -2.0), ("signed", 1e-3, -1e-3), ("share", 1.0, 0.0)]
)
def test_a_byte_is_half_a_step_from_its_value_at_most(kind, limit, low):
    values = np.random.default_rng(0).uniform(low, limit, size=(40, 60))
    back = maps.read_back(maps.quantise(values, kind, limit), kind, limit)
    n_steps = 254 if kind == "signed" else 255
    assert np.abs(back - values).max() <= (limit - low) / n_steps / 2 + 1e-12


def test_zero_is_exactly_neutral_and_both_ends_are_alike():
    cells = maps.quantise(np.array([-3.0, -1.0, 0.0, 1.0, 3.0]), "signed", 1.0)
    assert cells.tolist() == [1, 1, 128, 255, 255]


def test_the_payload_holds_units_in_rows_and_words_in_columns():
    values = np.arange(12.0).reshape(3, 4) / 11
    payload = maps.pack(
        [maps.Panel("a", "A", values, "share"), maps.Panel("b", "B", -values, "signed", 1.0)],
        columns=("x", "y\u202e", "z"), word_of_column=np.array([0, 1, -1]), head={"group": "g"},
    )  # fmt: skip
    head, cells = unpacked(payload)
    assert cells.shape == (2, 4, 3)
    assert np.allclose(maps.read_back(cells[0], "share", 1.0).T, values, atol=1 / 500)
    assert np.allclose(maps.read_back(cells[1], "signed", 1.0).T, -values, atol=1 / 250)
    assert head["columns"] == ["x", "y\\u202e", "z"]
    assert head["wordOfColumn"] == [0, 1, -1]
    assert (head["group"], head["nUnits"]) == ("g", 4)


def test_six_maps_of_five_hundred_words_are_one_byte_a_cell():
    values = np.zeros((512, 256))
    payload = maps.pack(
        [maps.Panel(str(index), "x", values, "share") for index in range(6)],
        columns=["word"] * 512, word_of_column=np.arange(512), head={},
    )  # fmt: skip
    assert len(payload) < 6 * 512 * 256 + 12_000


def numbers_of(payload: bytes, n_panels: int) -> np.ndarray:
    """What the second element holds, flat for each panel."""
    assert len(payload[:16].decode("ascii")) == 16
    return np.frombuffer(payload[16:], dtype="<f4").reshape(n_panels, -1)


def test_the_exact_numbers_are_the_float32_values_bit_for_bit():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(5, 7)).astype(np.float32) for _ in range(3)]
    strided = np.asfortranarray(values[1])  # as a slice of a trace may be
    panels = [maps.Panel(str(index), "x", one, "signed") for index, one in enumerate((values[0], strided, values[2]))]
    payload = maps.pack_exact(panels)
    assert np.array_equal(numbers_of(payload, 3).reshape(3, 5, 7), values)
    assert len(payload) == 16 + 4 * 3 * 5 * 7


def test_the_maps_name_the_numbers_that_belong_to_them():
    words = ("x", "y")
    packed = [
        maps.prepare([maps.Panel("a", "A", np.full((2, 3), value), "share")], words, group="g") for value in (0.2, 0.4)
    ]
    names = [unpacked(one.cells)[0]["exact"] for one in packed]
    assert names == [one.exact[:16].decode() for one in packed]
    assert names[0] != names[1]
    assert packed[0].n_exact_bytes == 4 * 2 * 3


def test_numbers_beyond_the_limit_stay_here_and_that_is_said(monkeypatch):
    said, sent = [], []
    monkeypatch.setattr(maps, "MAX_EXACT_BYTES", 23)
    monkeypatch.setattr(st, "caption", said.append)
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(maps, "_element", lambda **given: None)
    monkeypatch.setattr(maps, "_numbers", lambda **given: sent.append(given))
    panels = [maps.Panel("a", "A", np.zeros((2, 3)), "share")]
    packed = maps.prepare(panels, ("x", "y"), group="g")
    assert packed.exact is None
    assert unpacked(packed.cells)[0]["exact"] is None
    maps.show("maps", packed, ("x", "y"), group="g")
    assert not sent
    assert "read off their colours" in said[0]


def test_an_order_moves_no_value_and_says_what_it_rests_on():
    values = np.arange(6.0).reshape(2, 3) / 6
    panels, words = [maps.Panel("a", "A", values, "share")], ("x", "y")
    order = UnitOrder("verdict", np.array([2, 0, 1]), np.array([0.25, np.nan, 0.75]), "correlation", "")
    stored, ordered = (maps.prepare(panels, words, group="g", order=one) for one in (None, order))
    head, cells = unpacked(ordered.cells)
    assert np.array_equal(cells, unpacked(stored.cells)[1])
    assert ordered.exact == stored.exact
    assert head["order"] == [2, 0, 1]
    assert head["orderValues"] == ["+0.250", "none: it does not move", "+0.750"]
    assert "order" not in unpacked(stored.cells)[0]


def test_maps_of_different_shapes_are_refused():
    panels = [maps.Panel("a", "A", np.zeros((2, 3)), "share"), maps.Panel("b", "B", np.zeros((3, 3)), "share")]
    with pytest.raises(ValueError, match="same columns and units"):
        maps.pack(panels, columns="ab", word_of_column=np.arange(2), head={})


@pytest.fixture
def drawn(monkeypatch):
    """Draw one map without a server; gives what is sent and lets the browser say something."""
    session: dict = {}
    calls: list[dict] = []
    monkeypatch.setattr(st, "session_state", session)
    monkeypatch.setattr(maps, "_element", lambda **given: calls.append(given))
    monkeypatch.setattr(maps, "_numbers", lambda **given: None)

    def draw(say=None):
        place = maps.state_maps("maps", [maps.Panel("a", "A", np.zeros((2, 3)), "share")], ("x", "y"), group="g")
        if say is None:
            return place, calls[-1]
        session["maps"] = {"place": say}
        calls[-1]["on_place_change"]()
        return draw()

    return draw


def test_a_click_chooses_word_and_unit_and_the_bytes_stay_the_same(drawn):
    place, before = drawn()
    assert place == maps.Place(None, None)
    place, after = drawn(say=[1, 2])
    assert place == maps.Place(1, 2)
    assert after["data"] == before["data"]
    assert linked.chosen_word("g", ("x", "y")) == 1


@pytest.mark.parametrize("said", ["1,2", [1], [9, 9], [None, None], ["a", {}], {"word": 1}, [-1, -1], 7])
def test_nonsense_from_the_browser_chooses_nothing(drawn, said):
    drawn()
    assert drawn(say=said)[0] == maps.Place(None, None)


def test_a_click_on_a_special_token_chooses_its_unit_only(drawn):
    drawn()
    assert drawn(say=[None, 2])[0] == maps.Place(None, 2)
