"""The package of the engine (`make wheel`): its contents, and a new project that has nothing else (E22)."""

import ast
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from deploy.engine import build
from tests.support.cluster import ROOT
from tests.support.valkey import Valkey, wait_until

PROJECT = tomllib.loads((ROOT / "deploy" / "engine" / "pyproject.toml").read_text())["project"]
EXAMPLE = ROOT / "deploy" / "engine" / "example"
#: What the packages that the engine names bring along, and what it imports of them.
BROUGHT = {"asgiref": "django", "picklefield": "django-q2", "hiredis": "redis"}

#: The first parts of variables that only the running tests have.
INHERITED = ("DJANGO", "PYTEST", "PYTHON", "TEST_", "DATABASE_URL", "REDIS_URL")


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    assert build.build(folder) == 0
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    [found] = dist.glob("*.whl")
    return found


def test_wheel_has_exactly_the_files_of_the_engine(wheel: Path):
    """With its Lua, templates, style sheets, scripts and migrations."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(names) == build.files("queueing")
    assert {Path(name).suffix for name in names} == {".py", ".lua", ".html", ".css", ".js"}


def test_source_distribution_has_the_tests_and_the_docs_as_well(dist: Path, wheel: Path):
    [found] = dist.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(build.files(*build.CODE, *build.MORE)) < names
    assert {Path(name).name for name in build.TOP} < names
    assert {page for page in build.MORE if page.startswith("docs/")} < names
    assert found.name.removesuffix(".tar.gz") == "-".join(wheel.name.split("-")[:2])


@pytest.mark.slow
def test_tests_of_the_source_distribution_run_without_the_rest_of_the_project(dist: Path, tmp_path: Path):
    [found] = dist.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        archive.extractall(tmp_path, filter="data")
    some = ["tests/queueing/worker/test_end_to_end.py", "tests/queueing/values"]
    command = [sys.executable, "-m", "pytest", "-n", "0", *some]
    # Not those of the tests that run now: other settings, another database.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(INHERITED)}
    done = subprocess.run(command, cwd=next(tmp_path.iterdir()), env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]


def imported() -> set[str]:
    """Return the names of the distributions that the engine imports."""
    modules = set()
    for name in build.files("queueing"):
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
    known = importlib.metadata.packages_distributions()
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"queueing"}
    found = {top: known[top] for top in tops if top != "opentelemetry"}  # many packages have a part of it
    return {BROUGHT.get(top, names[0].lower().replace("_", "-")) for top, names in found.items()}


def test_metadata_names_each_package_that_the_engine_imports():
    named = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    assert imported() <= {re.match(r"[\w-]+", one)[0].lower() for one in named}


def test_extras_in_texts_are_those_of_the_package():
    places = [
        ROOT / name for name in build.files("queueing", "docs", "README.md") if name.endswith((".py", ".md"))
    ]
    texts = "\n".join(path.read_text() for path in [*places, ROOT / "deploy" / "engine" / "README.md"])
    named = re.findall(r'extra\("(\w+)"\)', texts) + re.findall(r"queueing(?:-[^ \[]+)?\[([\w,]+)\]", texts)
    names = {name for one in named for name in one.split(",")}
    assert names == set(PROJECT["optional-dependencies"]) - {"uvloop"}


def test_example_is_short():
    written = [ROOT / name for name in build.files("deploy/engine/example")]
    assert sum(len(path.read_text().splitlines()) for path in written) < 60


def python_of(version: str) -> str | None:
    """Return the Python of this version, if it is installed: on PATH, or from pyenv."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = shutil.which(f"python{version}"), *map(str, sorted(kept.glob(f"{version}.*/bin/python")))
    usable = (
        one for one in found if one and not subprocess.run([one, "-c", "import ensurepip, venv"]).returncode
    )
    return next(usable, None)


class Project:
    """A copy of the example with an environment that has only the wheel and what it names."""

    def __init__(self, folder: Path, python: str, url: str) -> None:
        self.folder, self.python = folder / "example", folder / "venv" / "bin" / "python"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))
        }
        self.environment = kept | {"REDIS_URL": url, "DJANGO_SUPERUSER_PASSWORD": "of-the-tests"}
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3"))
        subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)

    def install(self, *packages: str) -> None:
        command = [str(self.python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        subprocess.run(command, check=True, env=self.environment)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of the project."""
        command = [str(self.python), "-W", "error::UserWarning", "manage.py", *words]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **output)

    def manage(self, *words: str) -> str:
        """Run a command of the project, and return its output."""
        process = self.start(*words)
        output = process.communicate(timeout=100)[0]
        assert process.returncode == 0, output
        return output


USE = """
import time
from django.contrib.auth.models import User
from django.test import Client
from queueing.api import FINISHED, submit

job = submit("hello.greet", {"name": "Ada"}, owner="ada").job
ends = time.monotonic() + 60
while job.state not in FINISHED and time.monotonic() < ends:
    time.sleep(0.1)
    job.refresh_from_db()
print(job.state, job.result)
staff = Client(headers={"host": "localhost"})
staff.force_login(User.objects.create_superuser("root"))
pages = ("", "queue", "queueing/job/", f"queueing/job/{job.pk}/change/", "django_q/schedule/")
print([staff.get(f"/admin/{page}").status_code for page in pages])
"""


@pytest.fixture
def new_project(tmp_path: Path, valkey: Valkey) -> Iterator[Callable[[str], Project]]:
    """Return a function that makes a project with a Python of this version."""
    yield lambda version: Project(
        tmp_path, python_of(version) or pytest.skip(f"no Python {version}"), valkey.url
    )
    shutil.rmtree(tmp_path / "venv", ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("python", "django"), [("3.11", "5.2"), ("3.12", "6.0"), ("3.13", "6.1")])
def test_new_project_with_the_wheel_runs_a_job_and_shows_it(
    new_project: Callable[[str], Project], wheel: Path, python: str, django: str
):
    project = new_project(python)
    project.install(f"{wheel}[monitor]", f"Django~={django}.0")
    assert "no issues" in project.manage("check", "--fail-level", "WARNING")
    assert "No changes" in project.manage("makemigrations", "--check", "--dry-run")
    project.manage("migrate", "-v", "0")
    cluster = project.start("qcluster")
    try:
        told = project.manage("shell", "-c", USE).splitlines()
        assert told[-2:] == ["completed {'greeting': 'Hello, Ada'}", "[200, 200, 200, 200, 200]"]
        wait_until(lambda: "default" in project.manage("queue_monitor", "--once"), "the monitor")
    finally:
        cluster.send_signal(signal.SIGTERM)
        output = cluster.communicate(timeout=60)[0]
    assert "Traceback" not in output
