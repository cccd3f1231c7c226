"""The section Likeness: the maps are those of the desk, of two models or of one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core import api
from pages._ui import cache
from pages._ui.sections.compare import likeness
from tests.pages.conftest import said, settled
from tests.pages.tiny import fill_home

PAGE = "pages/compare.py"

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_likeness(open_app, home, warmed, monkeypatch):
    few = api.read_starter("test").take(np.arange(30))
    monkeypatch.setattr(api, "read_starter", lambda split="test": few)

    def opener(*families, **address):
        names = [f"starter-{family}" for family in families]
        fill_home(home, names)
        app = open_app(PAGE, models=names, view="likeness", **address)
        app = settled(app)
        for button in [one for one in app.button if one.label == "Compare the states"]:
            button.click().run()
        app = settled(app)
        assert not app.exception
        return app

    return opener


def model(family):
    info = cache.model_info(f"starter-{family}")
    return cache.load(info.name, info.fingerprint)


def maps(app):
    drawn = json.loads(next(node for node in app.get("plotly_chart") if node.key == likeness.CHART).proto.spec)
    return [np.array(written(one["z"])) for one in drawn["data"]]


def written(values):
    """A matrix as Plotly sends it, packed or plain."""
    if isinstance(values, dict):
        import base64

        shape = [int(one) for one in str(values["shape"]).split(",")]
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).reshape(shape)
    return values


def test_two_models_are_compared_as_the_desk_compares_them(open_likeness):
    app = open_likeness("lstm", "bilstm", likeness_states="words")
    texts = api.read_starter("test").texts
    found = api.compare_states(model("lstm"), model("bilstm"), texts, "words")
    trained, fresh = maps(app)
    np.testing.assert_allclose(trained, found.cka, atol=1e-6)
    np.testing.assert_allclose(fresh, found.untrained, atol=1e-6)
    assert f"Over {found.n_states:,} words" in said(app)
    assert "CKA hangs on the directions of largest variance" in said(app)


def test_one_model_has_its_layers_compared_with_each_other(open_likeness):
    app = open_likeness("gru", likeness_states="final")
    assert "One model is chosen" in said(app)
    trained, _ = maps(app)
    np.testing.assert_allclose(np.diag(trained), 1.0)


def test_without_a_model_or_a_file_it_says_what_to_do(open_likeness):
    assert "Choose 1 more model" in said(open_likeness())
    assert "No file is given yet" in said(open_likeness("gru", likeness_texts="file"))
