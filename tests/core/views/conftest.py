"""Traces of tiny networks for every view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from explorer_core import api

LONG = "the film was not good but the acting was great , " * 28  # 308 words
TEXTS = {
    "one word": "terrible",
    "three words": "not that bad",
    "thirty words": " ".join(LONG.split()[:30]),
    "three hundred words": " ".join(LONG.split()[:300]),
    "hostile": "<b>bold</b> %{y} ![x](http://a/b) \u202eevil {{x}} $1$",
    "emoji and Arabic": "so good \U0001f60d\U0001f469\u200d\U0001f467 كان الفيلم رائعا 好",
}


@pytest.fixture
def trace_of(tiny_model: Callable[..., Any]) -> Callable[..., Any]:
    """`trace_of(family, text, **sizes)`."""

    def trace(family: str, text: str, **sizes: Any) -> Any:
        sizes = {"max_tokens": 512} | sizes
        return api.trace_states(tiny_model(family, **sizes), text)

    return trace
