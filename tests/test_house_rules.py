"""The rules of the house, read from the source: who may import whom, what is never written, what everything has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer_core import registry
from tests import readme_tables
from tests.source_files import ROOT, calls_of, each, imports_of, name_of, roots_of, tree_of

CORE = sorted((ROOT / "explorer_core").rglob("*.py"))
APP = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BENCH = sorted((ROOT / "bench").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
ROOMS_OF_THINGS = [
    folder.name
    for folder in sorted((ROOT / "explorer_core").iterdir())
    if folder.name in ("architectures", "attribution", "commands", "datasets", "reasons", "views") and folder.is_dir()
]

# Who may import whom inside the core; every module that is not named here is a leaf, which imports leaves only.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "architectures": frozenset(),
    "attribution": frozenset({"tracing"}),
    "datasets": frozenset(),
    "tracing": frozenset(),
    "comparing": frozenset({"attribution", "datasets", "judging", "prediction", "tracing"}),
    "corpus": frozenset({"datasets", "tracing"}),
    "designs": frozenset({"training"}),
    "exam": frozenset({"architectures", "attribution", "datasets", "prediction", "training"}),
    "lab": frozenset(),
    "judging": frozenset({"datasets", "prediction"}),
    "reasons": frozenset({"attribution", "datasets", "prediction", "tracing"}),
    "projecting": frozenset({"prediction", "tracing"}),
    "views": frozenset(),
    "training": frozenset({"architectures", "datasets", "tracing"}),
    "prediction": frozenset(),
    "evaluation": frozenset({"datasets", "prediction"}),
    "api": frozenset(
        {
            *("architectures", "attribution", "bundle", "comparing", "comparison_bundle", "corpus", "datasets"),
            *("designs", "evaluation", "exam", "judging", "lab", "prediction"),
            *("projecting", "reasons", "report", "tracing", "training"),
        }
    ),
    "bundle": frozenset({"views"}),  # writes the pictures into a page
    "comparison_bundle": frozenset({"bundle"}),  # the same for several models
    "report": frozenset({"views"}),  # as above
    "commands": frozenset({"api"}),
    "__main__": frozenset({"commands"}),
}
LEAVES_IN_ROOMS = {  # plain values that travel
    "explorer_core.designs.spec",
    "explorer_core.exam.spec",
    "explorer_core.judging.spec",
    "explorer_core.lab.spec",
    "explorer_core.training.spec",
}
# Things of one room that build on each other, and why.
SIBLINGS = {("bilstm", "lstm"): "a BiLSTM is an LSTM that reads twice"}
LONG_FILES: dict[str, str] = {}  # path: why the file may pass the limit
MAX_LINES = 350
NEEDS = ("recurrent", "gates", "cell", "bidirectional", "transformer")  # what a view may ask of a model

NOT_IN_PAGES = {"torch", "transformers", "captum", "plotly", "tokenizers", "safetensors", "accelerate", "sklearn"}
NOT_IN_API = {"torch", "transformers", "captum", "plotly", "streamlit", "sklearn", "pandas", "datasets", "tokenizers"}
UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_KEYWORDS = {
    "trust_remote_code": True,
    "unsafe_allow_html": True,
    "allow_pickle": True,
    "weights_only": False,
}


def room_of(module: str) -> str:
    """Room of a dotted name inside the core: `explorer_core.training.jobs` lives in `training`."""
    return "leaf" if any(f"{module}.".startswith(f"{leaf}.") for leaf in LEAVES_IN_ROOMS) else module.split(".")[1]


# Walls --------------------------------------------------------------------------------------------------------------


@each(CORE)
def test_the_core_never_imports_streamlit_or_the_app(path: Path) -> None:
    assert not roots_of(path) & {"streamlit", "pages", "app", "tests"}


@each(APP)
def test_the_app_never_imports_the_machinery(path: Path) -> None:
    assert not roots_of(path) & NOT_IN_PAGES


@each(APP)
def test_the_app_enters_the_core_by_the_front_desk_and_the_views(path: Path) -> None:
    found = {name for name in imports_of(tree_of(path), for_types=False) if name.startswith("explorer_core.")}
    behind = {name for name in found if room_of(name) in MAY_IMPORT and room_of(name) not in ("api", "views")}
    assert not behind


@each(CORE)
def test_plotly_lives_in_the_views_only(path: Path) -> None:
    assert path.parent.name == "views" or "plotly" not in roots_of(path)


@each(CORE)
def test_rooms_import_only_what_the_diagram_allows(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    own = room_of(".".join(parts)) if len(parts) > 1 else "leaf"
    allowed = MAY_IMPORT.get(own, frozenset()) | {own}
    for name in imports_of(tree_of(path), for_types=False):
        if name.startswith("explorer_core."):
            room = room_of(name)
            assert room in allowed or room not in MAY_IMPORT, f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("room", ROOMS_OF_THINGS)
def test_things_of_a_room_do_not_import_each_other(room: str) -> None:
    things = set(registry.describe(room))
    for thing in things:
        found = imports_of(tree_of(ROOT / "explorer_core" / room / f"{thing}.py"), for_types=False)
        prefix = f"explorer_core.{room}."
        siblings = {name.removeprefix(prefix).split(".")[0] for name in found if name.startswith(prefix)} & things
        assert {(thing, sibling) for sibling in siblings} <= set(SIBLINGS)


def test_the_core_package_imports_nothing_by_itself() -> None:
    assert not list(imports_of(tree_of(ROOT / "explorer_core" / "__init__.py")))


@pytest.mark.parametrize("module", ["explorer_core.api", "explorer_core.__main__", "explorer_core.palette"])
def test_importing_the_front_desk_imports_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.stdout.write(' '.join({NOT_IN_API!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


# Discovery ----------------------------------------------------------------------------------------------------------


def test_every_page_is_routed_and_every_route_has_its_page() -> None:
    tree = tree_of(ROOT / "pages" / "_ui" / "shell.py")
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    routed = {text for text in texts if re.fullmatch(r"pages/\w+\.py", text)}
    assert routed == {name_of(path) for path in PAGES if path.name != "__init__.py"}


@each(PAGES)
def test_every_page_begins_with_the_guard(path: Path) -> None:
    quiet = (ast.Import, ast.ImportFrom)
    body = [node for node in tree_of(path).body if not isinstance(node, quiet)]
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]  # the docstring
    assert body, "the page is empty"
    assert ast.unparse(body[0]).split(".")[-1] == "require_shell()"


@pytest.mark.parametrize("room", ROOMS_OF_THINGS)
def test_every_thing_in_a_room_describes_itself(room: str) -> None:
    things = registry.describe(room)
    files = {path.stem for path in (ROOT / "explorer_core" / room).glob("[!_]*.py")}
    assert set(things) == files
    labels = [about.label for about in things.values()]
    assert len(set(labels)) == len(labels)
    for about in things.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", about.name)
        assert about.label.strip()
        assert about.sentence.endswith("."), f"{about.name}: one sentence, with its full stop"
        assert "\n" not in about.sentence


def test_every_view_says_how_it_is_read_what_it_leaves_out_its_formula_and_its_source() -> None:
    for view in registry.describe("views").values():
        for name in ("how", "does_not_show", "formula", "source"):
            said = view.extra.get(name, "")
            assert isinstance(said, str) and len(said.split()) > 2, f"{view.name}: {name}"
            assert said == " ".join(said.split()), f"{view.name}: {name} is one line"
        assert view.extra["how"].endswith("."), view.name
        assert view.extra["does_not_show"].endswith("."), view.name
        assert view.extra.get("needs") in (None, *NEEDS), view.name


def test_a_room_with_an_undescribed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "mute.py").write_text("LABEL = 'nothing'\n")
    monkeypatch.setattr(registry, "_ROOMS", tmp_path)
    with pytest.raises(TypeError, match=r"mute\.py"):
        registry.describe.__wrapped__("things")


@pytest.mark.skipif(not readme_tables.README.exists(), reason="there is no README.md yet")
def test_the_tables_of_the_readme_are_current() -> None:
    text = readme_tables.README.read_text(encoding="utf-8")
    assert readme_tables.updated(text) == text, "run `python -m tests.readme_tables --write`"


def test_stale_readme_tables_are_noticed() -> None:
    fresh = readme_tables.updated("".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in readme_tables.TABLES))
    assert readme_tables.updated(fresh) == fresh
    assert all(f"`{name}`" in fresh for name in registry.describe("architectures"))
    stale = fresh.replace("`lstm`", "`lstn`")
    assert readme_tables.updated(stale) == fresh
    with pytest.raises(ValueError, match="families"):
        readme_tables.updated("no markers")


# Never written ------------------------------------------------------------------------------------------------------


@each(CORE + APP)
def test_nothing_is_printed_in_the_product(path: Path) -> None:
    assert not [call.lineno for call in calls_of(tree_of(path)) if ast.unparse(call.func) in ("print", "pprint")]


@each(CORE + APP + BENCH)
def test_nothing_is_ever_unpickled(path: Path) -> None:
    tree = tree_of(path)
    assert not roots_of(path) & UNPICKLERS
    found = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not {name for name in found if name.endswith(("torch.load", "read_pickle", ".hub.load"))}
    assert not {name for name in imports_of(tree) if name == "torch.load" or name.endswith(".read_pickle")}


@each(CORE + APP + BENCH + TESTS)
def test_no_dangerous_switch_is_turned_on(path: Path) -> None:
    for call in calls_of(tree_of(path)):
        for keyword in call.keywords:
            if keyword.arg in FORBIDDEN_KEYWORDS and isinstance(keyword.value, ast.Constant):
                assert keyword.value.value is not FORBIDDEN_KEYWORDS[keyword.arg], f"line {call.lineno}: {keyword.arg}"


@each(CORE + APP)
def test_nothing_is_executed_from_a_string_or_through_a_shell(path: Path) -> None:
    tree = tree_of(path)
    found = [ast.unparse(call.func) for call in calls_of(tree)]
    assert not {"eval", "exec", "compile", "os.system", "os.popen"} & set(found)
    assert not [word for call in calls_of(tree) for word in call.keywords if ast.unparse(word) == "shell=True"]


@each(TESTS)
def test_no_test_sleeps_or_is_allowed_to_fail(path: Path) -> None:
    tree = tree_of(path)
    found = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(imports_of(tree))
    assert not {name for name in found if name in ("time.sleep", "pytest.xfail") or name.endswith("mark.xfail")}


# Always there -------------------------------------------------------------------------------------------------------


@each(CORE + APP + TESTS + BENCH)
def test_no_file_grows_beyond_the_limit(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= MAX_LINES or name_of(path) in LONG_FILES, f"{n_lines} lines; split it by thing"


def test_the_list_of_long_files_holds_only_long_files() -> None:
    for name, reason in LONG_FILES.items():
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > MAX_LINES, name
        assert len(reason.split()) > 3, name


@each(CORE)
def test_everything_public_in_the_core_has_a_docstring(path: Path) -> None:
    tree = tree_of(path)
    missing = [] if ast.get_docstring(tree) else ["the module"]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    scopes = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for scope in scopes:
        if not (isinstance(scope, ast.ClassDef) and scope.name.startswith("_")):
            public = [node for node in scope.body if isinstance(node, kinds) and not node.name.startswith("_")]
            missing += [node.name for node in public if not ast.get_docstring(node)]
    assert not missing


@each([path for path in TESTS if path.name.startswith("test_")])
def test_every_test_name_reads_as_a_sentence(path: Path) -> None:
    names = [node.name for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]
    short = [name for name in names if name.startswith("test_") and len(name.split("_")) < 4]
    assert not short


def test_every_requirement_is_pinned_to_one_version() -> None:
    for path in sorted(ROOT.glob("requirements*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            line = line.split("#")[0].strip()
            if line:
                assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line), f"{path.name}: {line}"


def test_every_package_the_product_imports_is_required() -> None:
    named = {"sklearn": "scikit-learn", "charset_normalizer": "charset-normalizer"}
    required = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    found = set().union(*(roots_of(path) for path in CORE + APP))
    outside = found - set(sys.stdlib_module_names) - {"explorer_core", "pages", "None"}
    assert {named.get(name, name).lower().replace("_", "-") for name in outside} <= required
