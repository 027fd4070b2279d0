"""The first commands that the docs show to a program work, also the second time (O6)."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.project import texts

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_commands_for_programs_work_twice_with_the_same_cookies(web: Any, tmp_path: Path, document: str):
    ask, _follow = re.findall(r"(?s)```sh\n(touch jar.*?)\n(curl -sN.*?)\n```", texts.read(Path(document)))[0]
    server = web()
    for _ in range(2):
        command = ["sh", "-c", ask.replace("localhost:8000", f"127.0.0.1:{server.port}")]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert said.startswith("HTTP/1.1 202"), said
    command = ["curl", "-s", "-b", "jar", f"http://127.0.0.1:{server.port}/api/threads"]
    threads = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert threads.count('"title"') == 2, "the same visitor"
