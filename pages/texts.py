"""Texts: my file: how well do the models judge it, and which texts are worth opening?"""

from pages._ui import shell

shell.require_shell()

from explorer_core.errors import ExplorerError  # noqa: E402 - the guard comes first
from pages._ui import cache, cache_texts, messages, sections, state, way_back  # noqa: E402

way_back.follow()
cache_texts.remember()
given = cache_texts.choice()
models = cache.model_infos(state.model_names())
table = None
try:
    table = cache_texts.read(given)
except ExplorerError as error:
    messages.show(error)
section = sections.choose_of(sections.describe("texts"))
with messages.guard():
    sections.draw(cache_texts.Desk(given, table, models), "texts", section)
