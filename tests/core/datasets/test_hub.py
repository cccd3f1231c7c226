"""Hub sets: the real loading on small local repositories, and clear words when the Hub is not there."""

from __future__ import annotations

import time

import pytest

from explorer_core import registry, settings
from explorer_core.api import preview_data, read_data
from explorer_core.datasets import hub
from explorer_core.datasets._labelling import label_rows, preview_table
from explorer_core.errors import InvalidInputError, NotFoundError, OfflineError
from explorer_core.training.spec import DataSpec

N_ROWS = 400


@pytest.fixture(autouse=True)
def _no_cache():
    hub._open_cached.cache_clear()


@pytest.fixture
def repository(tmp_path):
    """A repository as the Hub has them: Parquet with a ClassLabel, sorted by label, two splits."""
    import datasets

    folder = tmp_path / "repository"
    features = datasets.Features(
        {
            "idx": datasets.Value("int32"),
            "sentence": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["neg", "pos", "never"]),
            "tokens": datasets.List(datasets.Value("string")),
        }
    )
    labels = [0] * (N_ROWS // 2) + [1] * (N_ROWS // 2)
    texts = [f"{'bad' if label == 0 else 'good'} thing number {row}" for row, label in enumerate(labels)]
    for split, of_split in (("train", labels), ("test", [-1] * N_ROWS)):
        columns = {"idx": range(N_ROWS), "sentence": texts, "label": of_split, "tokens": [["a"]] * N_ROWS}
        columns = {name: list(values) for name, values in columns.items()}
        data = datasets.Dataset.from_dict(columns, features=features)
        data.to_parquet(str(folder / "data" / f"{split}-00000-of-00001.parquet"))
    return folder


def test_class_names_columns_and_splits_are_found(repository):
    table = hub.open_repository(str(repository), None, None, 1_000)
    data = label_rows(table, {})
    assert len(data) == N_ROWS
    assert data.label_names == ("neg", "pos")
    assert all(text.startswith("good") == (label == 1) for text, label in zip(data.texts, data.labels, strict=True))
    assert any("1 of its 3 classes" in note for note in data.notes)
    preview = preview_table(table, {})
    assert (preview.text_column, preview.label_column) == ("sentence", "label")
    assert preview.columns == ("idx", "sentence", "label")
    assert preview.choices["split"] == ("train", "test")
    assert preview.problem == ""


def test_a_set_sorted_by_label_gives_both_classes_in_a_bounded_draw(repository):
    tables = [hub.open_repository(str(repository), None, "train", 100) for _ in range(2)]
    assert tables[0].columns == tables[1].columns  # the same rows each time
    data = label_rows(tables[0], {})
    assert len(data) == 100
    assert 30 < int((data.labels == 0).sum()) < 70
    assert any("100 rows were drawn at random from the first 400." in note for note in data.notes)


def test_the_draw_reads_a_bounded_number_of_rows(monkeypatch):
    monkeypatch.setattr(settings, "HUB_SHUFFLE_ROWS", 50)

    def endless():
        number = 0
        while True:
            yield {"text": str(number)}
            number += 1

    drawn, n_seen = hub._draw(endless(), 10)
    assert (len(drawn), n_seen) == (10, 50)
    assert [number for number, _ in drawn] == sorted(number for number, _ in drawn)


def test_a_set_of_several_sorted_files_is_read_from_all_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HUB_SHUFFLE_ROWS", 100)
    for part in range(4):
        rows = "".join(f"word {row} of part {part},{part % 2}\n" for row in range(200))
        (tmp_path / f"train-{part}.csv").write_text("text,label\n" + rows)
    data = label_rows(hub.open_repository(str(tmp_path), None, None, 50), {})
    assert data.label_names == ("0", "1")
    assert any("the first 100 (the set has more)" in note for note in data.notes)


def test_a_split_whose_labels_are_hidden_is_refused(repository):
    table = hub.open_repository(str(repository), None, "test", 1_000)
    with pytest.raises(InvalidInputError, match="no label"):
        label_rows(table, {"text_column": "sentence", "label_column": "label"})


def test_unknown_splits_and_configs_are_named_with_the_known_ones(repository):
    with pytest.raises(NotFoundError, match=r'no split "dev".*"train", "test"'):
        hub.open_repository(str(repository), None, "dev", 100)
    with pytest.raises(NotFoundError, match='no config "other"'):
        hub.open_repository(str(repository), "other", None, 100)


def test_a_set_with_several_configs_asks_for_one(tmp_path):
    for name in ("en", "de"):
        (tmp_path / "set" / name).mkdir(parents=True)
        rows = "".join(f"word {row} in {name},{row % 2}\n" for row in range(20))
        (tmp_path / "set" / name / "train.csv").write_text("text,label\n" + rows)
    card = "".join(f"- config_name: {name}\n  data_files: {name}/*.csv\n" for name in ("en", "de"))
    (tmp_path / "set" / "README.md").write_text(f"---\nconfigs:\n{card}---\n")
    with pytest.raises(InvalidInputError, match=r'several configs: .*"de"'):
        hub.open_repository(str(tmp_path / "set"), None, None, 100)
    data = label_rows(hub.open_repository(str(tmp_path / "set"), "de", None, 100), {})
    assert data.label_names == ("0", "1")
    assert all(text.endswith("de") for text in data.texts)


def test_sets_of_code_are_never_run(tmp_path):
    folder = tmp_path / "scripted"
    folder.mkdir()
    (folder / "scripted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(Exception, match=r".") as caught:
        hub.open_repository(str(folder), None, None, 100)
    assert not (tmp_path / "ran").exists()
    assert str(hub._explain("a/b", caught.value)).endswith(".")


@pytest.mark.parametrize(
    "name",
    ["", "a/b/c", "../x", "a/../b", "/etc/passwd", "./data", "a b", "a/b\n", "owner/", "/name", "C:\\x", "hf://x",
     "é/x", "a--b/c", "<b>x</b>", "x" * 200, None, 3, ["a/b"]],
)  # fmt: skip
def test_only_ids_pass_the_public_door(name):
    with pytest.raises(InvalidInputError, match="no id of a Hub set"):
        read_data(DataSpec("hub", {"id": name}))


def test_a_local_folder_does_not_pass_the_public_door(repository, monkeypatch):
    monkeypatch.chdir(repository.parent)
    with pytest.raises(OfflineError):
        read_data(DataSpec("hub", {"id": "repository"}))


@pytest.mark.parametrize("option", ["config", "split"])
@pytest.mark.parametrize("value", ["../x", "a/b", "train[:10%]", "x" * 200, 7])
def test_odd_configs_and_splits_are_refused(option, value):
    with pytest.raises(InvalidInputError, match=f"cannot be a {option}"):
        read_data(DataSpec("hub", {"id": "a/b", option: value}))


@pytest.mark.parametrize("max_rows", [99, 20_001, "100", 1e3, True])
def test_the_number_of_rows_is_bounded(max_rows):
    with pytest.raises(InvalidInputError, match=r"100.*20[,]?000"):
        read_data(DataSpec("hub", {"id": "a/b", "max_rows": max_rows}))


def test_the_form_offers_the_bounds_that_are_checked():
    options = {option["name"]: option for option in registry.describe("datasets")["hub"].extra["options"]}
    assert (options["max_rows"]["low"], options["max_rows"]["high"]) == (hub.MAX_ROWS.low, hub.MAX_ROWS.high)
    assert options["max_rows"]["high"] == settings.MAX_HUB_ROWS
    assert options["max_rows"]["default"] == hub.MAX_ROWS.default


@pytest.mark.parametrize("door", [read_data, preview_data])
def test_switched_off_the_hub_says_so_at_once(door):
    start = time.perf_counter()
    with pytest.raises(OfflineError, match=r"switched off here.*starter corpus or a local file"):
        door(DataSpec("hub", {"id": "stanfordnlp/sst2"}))
    assert time.perf_counter() - start < 10


def raising(error):
    def ask(*args, **kwargs):
        raise error

    return ask


def test_an_unreachable_hub_is_asked_once_and_told(monkeypatch):
    import huggingface_hub

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "open_repository", raising(AssertionError("never reached")))
    for error in (ConnectionError("no route"), TimeoutError("slow"), transport_error()):
        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", raising(error))
        with pytest.raises(OfflineError, match="cannot be reached"):
            read_data(DataSpec("hub", {"id": "stanfordnlp/sst2"}))


def transport_error() -> Exception:
    """The error of the HTTP client that huggingface_hub uses here."""
    from huggingface_hub.utils import get_session

    session = get_session()
    module = __import__(type(session).__module__.split(".")[0])
    return module.ConnectError("Name or service not known")


@pytest.mark.parametrize(
    ("kind", "expected", "sentence"),
    [
        ("RepositoryNotFoundError", NotFoundError, 'no set "a/b" on the Hub'),
        ("GatedRepoError", InvalidInputError, "accepted its terms"),
        ("HfHubHTTPError", OfflineError, "did not give out"),
        ("OfflineModeIsEnabled", OfflineError, "cannot be reached"),
    ],
)
def test_answers_of_the_hub_become_sentences(monkeypatch, kind, expected, sentence):
    from huggingface_hub import errors

    error = getattr(errors, kind).__new__(getattr(errors, kind))
    monkeypatch.setattr(hub, "_check_there", raising(error))
    with pytest.raises(expected, match=sentence):
        read_data(DataSpec("hub", {"id": "a/b"}))


def test_a_set_that_cannot_be_read_is_told_without_its_insides(monkeypatch):
    monkeypatch.setattr(hub, "_check_there", lambda name: None)
    monkeypatch.setattr(hub, "open_repository", raising(KeyError("secret insides")))
    with pytest.raises(InvalidInputError, match="cannot be read as rows of text") as caught:
        read_data(DataSpec("hub", {"id": "a/b"}))
    assert "secret" not in str(caught.value)


def test_a_failure_is_not_remembered(monkeypatch, repository):
    monkeypatch.setattr(hub, "_check_there", raising(ConnectionError()))
    with pytest.raises(OfflineError):
        read_data(DataSpec("hub", {"id": "a/b"}))
    monkeypatch.setattr(hub, "_check_there", lambda name: None)
    real = hub.open_repository
    calls = []

    def open_here(path, *rest):
        calls.append(path)
        return real(str(repository), *rest)

    monkeypatch.setattr(hub, "open_repository", open_here)
    assert preview_data(DataSpec("hub", {"id": "a/b"})).n_usable == N_ROWS
    assert len(read_data(DataSpec("hub", {"id": "a/b"}))) == N_ROWS
    assert calls == ["a/b"]  # looked at, then read: fetched once


@pytest.mark.network
def test_a_real_set_is_read():
    data = read_data(DataSpec("hub", {"id": "cornell-movie-review-data/rotten_tomatoes", "max_rows": 200}))
    assert data.label_names == ("neg", "pos")
    assert len(data) > 190
