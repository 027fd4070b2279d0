"""The steps of docs/deploy.md and docs/runbooks.md, run literally in a copy of this system.

From nothing to a site with TLS, more hosts and worker pools; then a changed setting, an upgrade, a roll back,
a backup and a restore.

The copy is an overlay in a mount namespace: the steps may write anywhere, and nothing of it stays. It has a
network of its own, so that all ports are free; the packages of Python are downloaded before. A script plays
systemd.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_docs_commands import blocks
from tests.project.test_make_run import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(580)]

NEEDED = ("nginx", "redis-server", "pg_ctlcluster", "unshare", "envsubst", "openssl", "git")
#: What the operator fills in -> what the test does.
FILLED_IN = {
    "<the address of the project>": "/project.git",
    "<the new version>": "HEAD",
    "<the old version>": "HEAD",
    "<the backup>": '"$(date +%F).dump"',
    "OPENAI_API_KEY=<your key>": "OPENAI_BASE_URL=http://127.0.0.1:8899/v1\nOPENAI_MODEL=scripted",
}
WALK = ROOT / "tests" / "project" / "walk"


def steps() -> str:
    """Return the commands of the pages that this test runs."""
    mine = f"run by: tests/project/{Path(__file__).name}"
    deploy, runbooks = (
        [block.text for block in blocks() if block.path.name == page and block.mark.startswith(mine)]
        for page in ("deploy.md", "runbooks.md")
    )
    text = "\n".join([*deploy, "visit", *runbooks]).replace(
        "manage.py createsuperuser", "manage.py createsuperuser --noinput"
    )
    text = re.sub(r"(?m)^apt-get .*$", "", text)
    # Warnings are right here: the certificate is not trusted, and nothing sends mail.
    text = text.replace("manage.py doctor", "manage.py doctor || [ $? -eq 1 ]")
    for asked, answer in FILLED_IN.items():
        assert asked in text
        text = text.replace(asked, answer)
    return text


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Path]:
    """A folder for the overlay, with the packages and the project."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if os.getuid() != 0 or any(not shutil.which(name, path=path) for name in NEEDED):
        pytest.skip(f"it needs root and {', '.join(NEEDED)} (Debian: the packages in docs/deploy.md)")
    for name in ("upper", "work", "root", "wheels"):
        (tmp_path / name).mkdir()
    (tmp_path / "upper").chmod(0o755)  # other users read its root
    layers = f"lowerdir=/,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    tried = [
        "unshare",
        "--mount",
        "--net",
        "mount",
        "-t",
        "overlay",
        "overlay",
        "-o",
        layers,
        f"{tmp_path}/root",
    ]
    if subprocess.run(tried, capture_output=True).returncode:
        pytest.skip("this computer allows no namespaces with an overlay")
    # The Python of the system may need other packages than that of the tests.
    subprocess.run(["/usr/bin/python3", "-m", "venv", str(tmp_path / "downloader")], check=True)
    pip = [str(tmp_path / "downloader" / "bin" / "pip"), "--quiet", "download", "--only-binary", ":all:"]
    pip += ["--require-hashes"]
    locked = ["--no-deps", "--requirement", "deploy/locks/app.txt", "--dest", str(tmp_path / "wheels")]
    subprocess.run([*pip, *locked], cwd=ROOT, check=True)
    subprocess.run(
        ["git", "clone", "--quiet", "--bare", str(ROOT), str(tmp_path / "project.git")], check=True
    )
    yield tmp_path
    shutil.rmtree(tmp_path / "upper", ignore_errors=True)


def test_operator_with_only_the_docs_gets_a_site_with_tls(system: Path):
    before, after = (WALK / "before.sh").read_text(), (WALK / "after.sh").read_text()
    (system / "walk").write_text(f"{before}set -x\n{steps()}{after}")
    names = {"SYSTEM": str(system), "TREE": str(ROOT), "PYTHON": sys.executable}
    isolated = [
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        str(WALK / "enter.sh"),
    ]
    began = time.monotonic()
    walked = subprocess.run(isolated, env=os.environ | names, capture_output=True, text=True, timeout=500)
    print(walked.stdout[-20_000:], walked.stderr)
    print(f"{time.monotonic() - began:.0f} s")
    assert walked.returncode == 0
    assert "Both questions were answered." in walked.stdout
