"""The sections of each page: found by discovery, offered where they fit, and only the chosen one is drawn."""

from __future__ import annotations

import sys

import pytest

from pages._ui import sections
from tests.pages.tiny import save_tiny

PAGES = ("states", "gradients")


@pytest.fixture
def open_page(open_app, home, warmed):
    def opener(page: str, family: str, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(f"pages/{page}.py", text="not bad at all", **address)
        assert not app.exception
        return app

    return opener


@pytest.fixture
def open_states(open_page):
    return lambda family, **address: open_page("states", family, **address)


def offered(app) -> list[str]:
    control = next(one for one in app.get("button_group") if one.key == sections.VIEW)
    return [option.content for option in control.proto.options]


def drawn_heading(app) -> str:
    questions = {f"### {section.question}" for page in PAGES for section in sections.describe(page)}
    return next(one.value for one in app.markdown if one.value in questions).removeprefix("### ")


@pytest.mark.parametrize("page", PAGES)
def test_every_section_describes_itself_and_asks_a_question(page):
    found = sections.describe(page)
    assert found
    assert len({section.label for section in found}) == len(found)
    for section in found:
        assert set(section.kinds) <= {"recurrent", "transformer"}
        assert section.kinds
        assert section.question.strip()


def test_a_family_is_offered_the_sections_that_fit_it(open_states, family):
    labels = offered(open_states(family))
    has_cell = family in ("lstm", "bilstm")
    assert ("Word ledger" in labels) == has_cell
    assert ("Two halves" in labels) == (family == "bilstm")
    assert ("Gates and states" in labels) == (family != "bert")
    assert ("Attention" in labels) == (family == "bert")


@pytest.mark.parametrize("page", PAGES)
def test_only_the_chosen_section_is_imported(open_page, monkeypatch, page):
    names = [section.name for section in sections.describe(page)]
    for name in names:
        monkeypatch.delitem(sys.modules, f"pages._ui.sections.{page}.{name}", raising=False)
    open_page(page, "lstm")
    assert [name for name in names if f"pages._ui.sections.{page}.{name}" in sys.modules] == names[:1]


@pytest.mark.parametrize("view", ["attention", "nonsense", "", "../gates"])
@pytest.mark.parametrize("page", PAGES)
def test_a_view_the_model_does_not_have_opens_the_first_one(open_page, page, view):
    app = open_page(page, "lstm", view=view)
    assert not app.error
    assert drawn_heading(app) == sections.describe(page)[0].question


def test_a_section_without_a_description_is_refused(tmp_path):
    mute = tmp_path / "mute.py"
    mute.write_text("LABEL = 'nothing'\n")
    with pytest.raises(TypeError, match=r"mute\.py"):
        sections._read(mute)


@pytest.mark.parametrize("view", ["memory", "Memory"])
def test_a_link_names_a_section_by_its_file_or_by_its_label(open_states, view):
    assert drawn_heading(open_states("lstm", view=view)).startswith("How long does it remember")
