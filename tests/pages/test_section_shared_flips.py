"""The section Shared flips: one table with a column for each model, what it costs, and how far it went."""

from __future__ import annotations

import pytest

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import DELETE, FlipsPrice
from pages._ui import cache, cache_compare, work
from pages._ui.sections.compare import shared_flips
from tests.pages.conftest import said, settled
from tests.pages.tiny import save_tiny

PAGE, TEXT = "pages/compare.py", "not a good film but loved it"

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_flips(open_app, home, warmed):
    def opener(*families: str, text: str = TEXT, wait: bool = True, **address):
        for family in families:
            save_tiny(home, f"starter-{family}", family)
        names = [f"starter-{family}" for family in families]
        app = open_app(PAGE, models=names, text=text, view="shared_flips", **address)
        assert not app.exception
        return settled(app) if wait else app

    return opener


def tables(app) -> list[str]:
    return [one.proto.body for one in app.get("html") if "class='shared'" in one.proto.body]


def loaded(*families: str):
    infos = [cache.model_info(f"starter-{family}") for family in families]
    return [cache.load(info.name, info.fingerprint) for info in infos]


def test_the_table_is_that_of_the_desk_with_a_column_for_each_model(open_flips):
    families = ("lstm", "rnn", "bert")
    app = open_flips(*families)
    found = api.find_shared_flips(loaded(*families), TEXT)
    summary, table = tables(app)
    assert table.count("class='edit'") == min(len(found.kinds), 40) > 0
    assert table.count("class='verdict turned'") == int(found.flips[:, :40].sum())
    assert f"{number(float(found.new_probs[0, 0]))}</td>" in table
    for name in ("LSTM", "RNN", "BERT"):
        assert f"<bdi>{name}</bdi>" in table
        assert f"<bdi>{name}</bdi>" in summary
    n_all = int(found.flips_all.sum())
    assert ("Turn all 3" in table) == bool(n_all)
    assert ("No edit of one or two words that was tried turns all 3 models." in said(app)) == (not n_all)


def test_deletions_agree_with_the_page_words(open_flips):
    app = open_flips("gru")
    alone = api.find_flips(loaded("gru")[0], TEXT)
    (shared,) = [api.find_shared_flips(loaded("gru"), TEXT)]
    assert shared.smallest(0, DELETE) == (alone.n_words if alone.n_words <= 2 else 0)
    if alone.n_words == 1:
        assert f"−\u00a0{alone.named(0)[0]}<" in tables(app)[1]
    assert "every one and every two of 7 possible ones were tried" in said(app)


def test_what_is_dear_is_asked_for_with_its_price(open_flips, monkeypatch):
    price = FlipsPrice(4_321, 75.0, {"delete": 2, "swap": 1})
    monkeypatch.setattr(cache_compare, "flips_price", lambda *_: price)
    app = open_flips("lstm", "rnn")
    words = said(app)
    assert "each of 2 models reads 4,321 edited texts: about 75 s" in words
    assert "every word and every two words taken away and every word swapped" in words
    assert not tables(app)
    next(one for one in app.button if one.label == "Look for them").click().run()
    assert tables(settled(app))


def test_a_search_that_was_cancelled_can_be_begun_again(open_flips):
    app = open_flips("lstm")
    (key,) = [one for one in work._desk().jobs if one.startswith("shared flips")]
    job = work._desk().jobs[key]
    job.state, job.result = "cancelled", None
    app.run()
    assert "cancelled. Nothing of it was kept." in said(app)
    app.button(key="flips_again").click().run()
    assert tables(settled(app))


def test_a_long_text_says_which_choices_do_not_fit(open_flips):
    app = open_flips("rnn", text="the film was good and the plot was bad " * 20)
    assert "two at a time do not fit the budget" in said(app)
    assert not app.error


def test_a_text_without_words_to_swap_says_so(open_flips):
    assert "No word of this text is one that the corpus swaps" in said(open_flips("lstm", text="zxq 😀"))


@pytest.mark.parametrize("text", ["terrible", "كان الفيلم رائعا", "not </td><script>x</script> [a](http://h) is"])
def test_any_text_is_searched_and_stays_text(open_flips, text):
    app = open_flips("lstm", "bert", text=text)
    assert not app.error
    assert not [one for one in tables(app) if "<script" in one]
    assert "[a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))


def test_the_table_is_named_in_words_for_one_model_too():
    tried = shared_flips.told_tries({"delete": 1, "swap": 0})
    assert tried == "every word taken away"
    assert "does not allow" in shared_flips.told_tries({"delete": 0, "swap": 0})
