"""A training spec is written by people and by programs: whatever they write is taken, or refused in a sentence."""

from __future__ import annotations

import json

import pytest

from explorer_core.errors import InvalidInputError
from explorer_core.training.spec import DataSpec, TrainingSpec, check_name

LONG = "x" * 5_000


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "3", '"name"', "{", "[" * 100_000, '{"name": "a", "epochs": ' + "9" * 5_000 + "}",
        "{}", '{"family": "lstm"}', f'{{"name": "a", "{LONG}": 1}}', '{"name": "a", "name_": 1}',
        '{"name": ["a"]}', '{"name": null}', '{"name": "../up"}', '{"name": "A"}', f'{{"name": "{LONG}"}}',
        '{"name": "a", "family": ["lstm"]}', '{"name": "a", "family": null}', f'{{"name": "a", "family": "{LONG}"}}',
        '{"name": "a", "data": null}', '{"name": "a", "data": []}', '{"name": "a", "data": {"source": ["x"]}}',
        '{"name": "a", "data": {"source": "starter", "options": 5}}', '{"name": "a", "data": {"options": [1]}}',
        '{"name": "a", "data": {"source": "starter", "else": 1}}', f'{{"name": "a", "data": {{"source": "{LONG}"}}}}',
        '{"name": "a", "epochs": NaN}', '{"name": "a", "epochs": 1e3}', '{"name": "a", "epochs": "3"}',
        '{"name": "a", "epochs": true}', '{"name": "a", "epochs": null}', '{"name": "a", "learning_rate": Infinity}',
        '{"name": "a", "learning_rate": NaN}', '{"name": "a", "pooling": {}}', '{"name": "a", "end_token": 1}',
        '{"name": "a", "vocabulary": "words"}',
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_spec_that_is_none_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        TrainingSpec.from_json(text)
    assert 10 < len(str(caught.value)) < 600
    assert str(caught.value).endswith(".")


def test_a_spec_survives_json_both_ways() -> None:
    spec = TrainingSpec("my-gru", "gru", DataSpec("starter"), pooling="mean", learning_rate=1e-3, seed=7)
    assert TrainingSpec.from_json(spec.to_json()) == spec
    assert TrainingSpec.from_json(json.dumps({"name": "a"})) == TrainingSpec("a")


@pytest.mark.parametrize("name", ["a", "9", "my-lstm-2", "a" * 48])
def test_plain_names_are_kept_as_they_are(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-a", ".", "..", "a/b", "a\\b", "A", "a b", "a\n", "é", "a" * 49, "con\0", "~", "a.b", ".bin", "<b>", None, 3],
)  # fmt: skip
def test_a_name_that_could_leave_its_folder_is_refused(name: object) -> None:
    with pytest.raises(InvalidInputError, match="lower-case"):
        check_name(name)  # type: ignore[arg-type]
