"""Energy from counters that are files, which here are written by the test."""

from __future__ import annotations

import ctypes

import pytest

from explorer_core import energy


@pytest.fixture
def counters(tmp_path, monkeypatch):
    """Two packages, a part of one, and the whole board; `counters(package, microjoules)` turns one on."""
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path)
    names = {"0": "package-0", "1": "package-1", "2": "psys", "0:0": "core"}
    for place, name in names.items():
        folder = tmp_path / f"intel-rapl:{place}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text("1000\n")
        (folder / "max_energy_range_uj").write_text("5000000\n")

    def turn(place: str, value: object) -> None:
        (tmp_path / f"intel-rapl:{place}" / "energy_uj").write_text(f"{value}\n")

    return turn


def test_energy_is_the_sum_over_packages_and_nothing_twice(counters):
    meter = energy.Meter()
    assert meter.sources == ("processor",)
    assert meter.joules() == 0
    for place, value in (("0", 501_000), ("1", 251_000), ("2", 9_000_000), ("0:0", 400_000)):
        counters(place, value)
    assert meter.joules() == pytest.approx(0.75)


def test_a_counter_that_began_again_is_counted_on(counters):
    counters("0", 4_900_000)
    meter = energy.Meter()
    counters("0", 100_000)
    assert meter.joules() == pytest.approx(0.2)


def test_a_machine_that_reports_none_says_so(counters, tmp_path, monkeypatch):
    counters("0", "denied")
    counters("1", "")
    assert energy.Meter().sources == ()
    assert energy.Meter().joules() is None
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path / "none")
    assert energy.Meter().joules() is None


class Library:
    """What the driver's library answers."""

    def __init__(self, *, works: bool = True) -> None:
        self.used_mj, self.works = 5_000, works

    def nvmlInit_v2(self):
        return 0 if self.works else 9

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, found):
        ctypes.cast(found, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.used_mj
        return 0


def test_a_card_is_counted_where_the_work_is_on_it(monkeypatch, tmp_path):
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path)
    library = Library()
    monkeypatch.setattr(energy.ctypes, "CDLL", lambda name: library)
    energy._card.cache_clear()
    meter, elsewhere = energy.Meter("cuda"), energy.Meter("cpu")
    library.used_mj = 7_500
    assert meter.sources == ("NVIDIA card",)
    assert meter.joules() == pytest.approx(2.5)
    assert elsewhere.joules() is None
    energy._card.cache_clear()
    monkeypatch.setattr(energy.ctypes, "CDLL", lambda name: Library(works=False))
    assert energy.Meter("cuda").joules() is None
    energy._card.cache_clear()
