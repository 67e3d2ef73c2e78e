import ast
import importlib
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
from pydantic import BaseModel

import extractor

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "extractor").rglob("*.py"), *(ROOT / "schemas").glob("*.py")])


@pytest.mark.parametrize("name", ["schemas", "prompts"])
def test_the_top_folders_are_linked_into_the_package(name):
    """`extractor/schemas` and `extractor/prompts` are relative links to the real folders at the top."""
    link = ROOT / "extractor" / name
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{name}"
    listed = subprocess.run(["git", "ls-files", "--stage", str(link)], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert listed.startswith("120000")


def test_schemas_are_imported_from_the_package_alone():
    """Nothing imports `schemas` by its short name: that would make a second class of each type."""
    for path in [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert not any(name.split(".")[0] in ("schemas", "prompts") for name in names), path


def test_no_import_circle_lazy_ones_included():
    """No module reaches itself by imports, those inside functions included."""
    graph = grimp.build_graph("extractor")
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            assert graph.find_shortest_chain(imported, module) is None, (imported, module)


def test_the_floors_hold():
    """Every import points down: the contracts of import-linter are kept."""
    lint = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([str(lint)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_promise_is_exactly_all():
    """`__all__` is the public API; each name can be imported and says what it is."""
    assert set(extractor.__all__) == {
        "Article", "ArticleError", "Attribution", "BugError", "CassetteMiss", "Check", "Closed", "EndpointError", "Example", "Extractor",
        "ExtractorError", "Fact", "Grounded", "Issue", "LedgerError", "LimitReached", "ModelError", "Money", "Name", "Outcome", "Party",
        "Quantity", "Quarantined", "Quote", "RunOptions", "RunReport", "SchemaError", "Settings", "SettingsError", "Span", "Try",
        "Usage", "UsageError", "Value", "Verbatim", "When", "arun", "run",
    }  # fmt: skip
    for name in extractor.__all__:
        assert getattr(extractor, name) is not None
    with pytest.raises(AttributeError):
        extractor.nothing_of_this_name  # noqa: B018 - the access is what is tested


def test_importing_the_package_is_free():
    """`import extractor` loads neither pydantic nor any SDK."""
    code = "import sys, extractor; print(sorted({'pydantic', 'openai', 'instructor', 'rich', 'vcr'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def _public(module):
    for name, value in vars(module).items():
        if (
            not name.startswith("_")
            and getattr(value, "__module__", None) == module.__name__
            and (inspect.isclass(value) or inspect.isfunction(value))
        ):
            yield name, value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(path):
    """Each module, public class, function and method says what it gives; each field of a record has its own sentence."""
    if path.is_relative_to(ROOT / "schemas"):
        path = ROOT / "extractor" / path.relative_to(ROOT)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    assert module.__doc__, name
    for public, value in _public(module):
        assert inspect.getdoc(value), f"{name}.{public}"
        if inspect.isclass(value):
            for member, function in vars(value).items():
                if inspect.isfunction(function) and not member.startswith("_"):
                    assert function.__doc__, f"{name}.{public}.{member}"


def test_every_field_of_a_record_has_its_sentence():
    """A frozen record of the ground floor and of what judging gives has a string under each field."""
    for path in ("extractor/records.py", "extractor/evidence/outcome.py", "extractor/settings.py", "extractor/runs/run.py"):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any("Record" in ast.unparse(base) for base in node.bases):
                for place, statement in enumerate(node.body):
                    if isinstance(statement, ast.AnnAssign):
                        following = node.body[place + 1] if place + 1 < len(node.body) else None
                        said = (
                            isinstance(following, ast.Expr)
                            and isinstance(following.value, ast.Constant)
                            and isinstance(following.value.value, str)
                        )
                        assert said, f"{path}: {node.name}.{ast.unparse(statement.target)}"


def test_every_dependency_has_a_floor():
    """A bare name would let an old pip fall back to versions that are years old."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert all(">=" in one for one in wanted if not one.startswith(f"{project['name']}["))


def test_constraints_name_no_address_and_pin_every_dependency():
    """`constraints.txt` is exact versions alone, for pip and uv alike, and covers what the package needs."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line and "://" not in line and not line.startswith("-") for line in lines if line and not line.startswith("#"))
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for one in [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]:
        if one.startswith(f"{project['name']}["):
            continue
        assert one.split(">=")[0].split("[")[0].lower().replace("_", "-") in pinned, one


def test_records_are_frozen():
    """No step can edit what another gave it."""
    for name in ("Article", "Grounded", "Issue", "Outcome", "Quarantined", "RunReport", "Settings", "Span", "Usage"):
        record = getattr(extractor, name)
        assert issubclass(record, BaseModel)
        assert record.model_config["frozen"]


def test_tracked_files_name_no_secret_and_no_machine():
    """No key, account header or home directory stands in a tracked file."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if name.startswith("cassettes/"):
            assert "authorization" not in text.lower(), name
            assert "127.0.0.1" not in text, name
        assert "/home/" not in text or name == "tests/test_house.py", name
