"""House rules that no linter knows: they hold for the whole tree."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.loader import load_settings
from config.schema import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("hub", "adapters", "streams", "alerts", "config", "tests")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
MOST_LINES = 400
DOCUMENT_LINES = {
    "README.md": 150,
    "ARCHITECTURE.md": 200,
    "CONTRIBUTING.md": 100,
    "adapters/README.md": 80,
    "deploy/README.md": 200,
}
# Who may send SQL without a scope: the plumbing below the repositories.
UNSCOPED = {"database.py", "migrate.py", "scoping.py", "vault.py", "passwords.py"}
# The cases of threats that touch what exists so far; each must have at least one test.
THREATS = (
    *("T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13", "T14"),
    *(
        "T15",
        "T16",
        "T17",
        "T19",
        "T20",
        "T21",
        "T25",
        "T26",
        "T27",
        "T28",
        "T29",
        "T30",
        "T31",
        "T32",
    ),
    *("T33", "T34", "K1", "K2", "K3", "K4", "K5", "K8", "K10"),
)
SQL_METHODS = {"fetch", "search", "fetch_one", "tuples", "scalar", "execute"}


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_module_is_short_and_well_named(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=identify)
def test_a_package_holds_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
    assert len(body) <= 1


def store_modules() -> list[Path]:
    return [p for p in (ROOT / "hub" / "store").glob("*.py") if p.name != "__init__.py"]


@pytest.mark.threat("T1")
@pytest.mark.parametrize(
    "path", [p for p in store_modules() if p.name not in UNSCOPED], ids=identify
)
def test_every_store_function_takes_a_scope(path: Path) -> None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            names = [argument.arg for argument in node.args.args]
            if names and names[0] == "tx":
                assert names[1:2] == ["scope"], f"{node.name} takes no scope"


@pytest.mark.threat("T11")
@pytest.mark.parametrize("path", store_modules(), ids=identify)
def test_sql_is_joined_from_constants_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = set(_constant_names(tree))
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in SQL_METHODS
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "tx"
        ):
            query = call.args[
                1 if call.func.attr in {"fetch", "search", "fetch_one", "scalar"} else 0
            ]
            assert _is_constant(query, constants), f"line {query.lineno}: not a constant query"


def _constant_names(tree: ast.Module) -> Iterator[str]:
    """Module-level names bound once to joined string constants, in the order they appear."""
    known: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub.store."):
            # What another repository module joined from constants is one here, too.
            source = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            theirs = set(_constant_names(ast.parse(source.read_text(encoding="utf-8"))))
            known |= theirs & {alias.name for alias in node.names}
            yield from known
        target: ast.expr | None = None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and value is not None and _is_constant(value, known):
            known.add(target.id)
            yield target.id


def _is_constant(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_constant(node.left, names) and _is_constant(node.right, names)
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body, names) and _is_constant(node.orelse, names)
    return isinstance(node, ast.Name) and node.id in names


CONFINED = {
    "onvif": {"adapters/onvif/client.py"},
    "zeep": {"adapters/onvif/client.py"},
}


@pytest.mark.parametrize("library", CONFINED)
def test_a_library_is_imported_where_it_belongs_only(library: str) -> None:
    found = set()
    for path in MODULES:
        if "tests" in path.relative_to(ROOT).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            if any(name.split(".")[0] == library for name in names):
                found.add(identify(path))
    assert found == CONFINED[library]


def test_the_example_settings_load() -> None:
    example = ROOT / "config" / "gengfu.example.toml"
    assert load_settings(example, {}) == Settings()


def test_every_setting_stands_in_the_example_and_has_a_description() -> None:
    text = (ROOT / "config" / "gengfu.example.toml").read_text(encoding="utf-8")
    for section, field in _settings(Settings):
        description = section.model_fields[field].description
        if not isinstance(getattr(section.model_fields[field], "default", None), BaseModel):
            assert description, field
            assert re.search(rf"(?m)^(# )?{field} = ", text), f"{field} is not in the example"


def _settings(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    for name, field in model.model_fields.items():
        yield model, name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings(field.annotation)


@pytest.mark.parametrize(("name", "most"), DOCUMENT_LINES.items())
def test_a_document_keeps_its_length(name: str, most: int) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most


def test_every_decision_is_short() -> None:
    text = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    decisions = re.split(r"(?m)^## ", text)[1:]
    assert decisions
    for number, decision in enumerate(decisions, start=1):
        lines = decision.rstrip().splitlines()
        assert lines[0].startswith(f"{number}. ")
        assert len(lines) <= 15, lines[0]


DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=identify)
def test_documents_name_files_and_commands_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for named in re.findall(
        r"`((?:hub|adapters|streams|alerts|config|tests|deploy)/[\w./-]*)`", text
    ):
        assert (ROOT / named).exists(), f"{path.name} names {named}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make (\w+)`", text):
        assert re.search(rf"(?m)^{target}:", makefile), f"{path.name} names make {target}"


def test_the_lock_files_name_hashes_and_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==", text)
        assert len(pins) > 50
        for block in re.split(r"(?m)^(?=[A-Za-z])", text)[1:]:
            assert "--hash=sha256:" in block


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    for line in project["dependencies"]:
        name = re.split(r"[\[>=<]", line)[0].lower()
        assert re.search(rf"(?m)^{re.escape(name)}(\[[a-z,]+\])?==", lock), name


def test_every_threat_a_test_bears_is_explained() -> None:
    explained = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in MODULES:
        for number in re.findall(r'mark\.threat\("(\w+)"\)', path.read_text(encoding="utf-8")):
            assert re.search(rf"\b{number}\b", explained), f"{identify(path)}: {number}"


@pytest.mark.parametrize("number", THREATS)
def test_every_threat_met_so_far_has_a_test(number: str) -> None:
    mark = f'threat("{number}")'
    assert any(
        mark in path.read_text(encoding="utf-8")
        for path in MODULES
        if path.name.startswith("test_") and path != Path(__file__)
    )
