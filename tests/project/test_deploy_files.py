"""The files under deploy/ agree with the code and with each other, and their tools accept them."""

import fnmatch
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml
from django.urls import reverse

from buddy.bounds import sizes
from buddy.web import graceful_stop
from chat.protocol import sse
from deploy.local.services import free_port
from deploy.lock import VENV as TOOLS
from deploy.production import servers, units
from queueing.conf import DJANGO_Q_QUEUE, EngineConf, get_conf

ROOT = units.ROOT
COMPOSE = yaml.safe_load((ROOT / "deploy/docker/compose.yaml").read_text())["services"]
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
SOCKET = "chat/static/chat/js/net/socket.js"
#: What Kubernetes itself knows: not the object of KEDA, and not what is for kubectl alone.
OBJECTS = [
    f"deploy/kubernetes/{name}.yaml"
    for name in ("namespace", "config", "web", "worker", "ingress", "migrate")
]
WEB, WORKER, MIGRATE = "buddy-web@.service", "buddy-worker@.service", "buddy-migrate.service"
#: The longest stop of a cluster: active jobs, and then its workers.
LONGEST = EngineConf.grace + 10


def manifests(name: str) -> dict[str, dict]:
    """Return the objects of a Kubernetes file: kind -> object."""
    text = (ROOT / "deploy/kubernetes" / f"{name}.yaml").read_text()
    return {entry["kind"]: entry for entry in yaml.safe_load_all(text)}


def pod(name: str, kind: str) -> dict:
    """Return the pod of an object."""
    return manifests(name)[kind]["spec"]["template"]["spec"]


def test_every_shape_runs_the_same_commands():
    web = units.commands(WEB, "8000")[0][1:]
    image = re.search(r"(?m)^CMD \[(.+)\]$", DOCKERFILE)
    assert image
    in_image = [word.strip('" ') for word in image[1].split(",")][1:]
    assert [word.replace("0.0.0.0", "127.0.0.1") for word in in_image] == web
    worker, migrate = units.commands(WORKER)[0][1:], units.commands(MIGRATE)[0][1:]
    for shape in (COMPOSE["worker-1"]["command"], pod("worker", "Deployment")["containers"][0]["args"]):
        assert shape[1:] == worker
    for shape in (COMPOSE["migrate"]["command"], pod("migrate", "Job")["containers"][0]["args"]):
        assert shape[1:] == migrate


def test_every_shape_waits_until_a_process_has_stopped():
    wait = {name: float(COMPOSE[name]["stop_grace_period"][:-1]) for name in ("web-1", "web-2", "worker-1")}
    grace = {name: pod(name, "Deployment")["terminationGracePeriodSeconds"] for name in ("web", "worker")}
    pre_stop = pod("web", "Deployment")["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    for seconds in (units.stop_seconds(WEB), wait["web-1"], wait["web-2"], grace["web"] - pre_stop):
        assert seconds >= graceful_stop.PATIENCE + 5
    for seconds in (units.stop_seconds(WORKER), wait["worker-1"], grace["worker"]):
        assert seconds >= LONGEST + 5


def test_containers_are_read_only_and_without_rights():
    for name in ("web-1", "web-2", "worker-1", "worker-2", "migrate", "valkey"):
        assert (COMPOSE[name]["read_only"], COMPOSE[name]["cap_drop"]) == (True, ["ALL"]), name
    for name, kind in (("web", "Deployment"), ("worker", "Deployment"), ("migrate", "Job")):
        found = pod(name, kind)
        rights = found["containers"][0]["securityContext"]
        assert found["securityContext"]["runAsNonRoot"] is True, name
        assert (rights["readOnlyRootFilesystem"], rights["allowPrivilegeEscalation"]) == (True, False), name
    assert re.search(r"(?m)^USER (?!0|root)", DOCKERFILE)


def test_every_value_of_the_template_of_nginx_is_given():
    wanted = set(re.findall(r"\$\{(\w+)\}", servers.TEMPLATE.read_text()))
    assert wanted == set(COMPOSE["nginx"]["environment"])
    assert wanted == set(re.findall(r"BUDDY_\w+|CLIENT_URL", servers.TEMPLATE.read_text().split("\n\n")[0]))


def settings_of_the_proxies() -> dict[str, dict[str, str]]:
    """Return the settings of each proxy: nginx, and the Ingress."""
    nginx = dict(re.findall(r"(?m)^ +(?:client_max_|proxy_)([a-z_]+) (\S+);", servers.TEMPLATE.read_text()))
    prefix = "nginx.ingress.kubernetes.io/proxy-"
    (ingress, *_) = yaml.safe_load_all((ROOT / "deploy/kubernetes/ingress.yaml").read_text())
    notes = {name: value for name, value in ingress["metadata"]["annotations"].items() if prefix in name}
    found = {name.removeprefix(prefix).replace("-", "_"): value for name, value in notes.items()}
    return {"nginx": nginx, "ingress": found}


def test_every_proxy_takes_the_largest_body_and_waits_for_slow_streams():
    nginx, ingress = settings_of_the_proxies().values()
    assert (nginx["buffering"], ingress["buffering"]) == ("off", "off")
    for name in ("read_timeout", "send_timeout", "connect_timeout"):
        assert nginx[name] == f"{ingress[name]}s"
    page = re.search(r"const PING_EVERY = (\d+)_000;", (ROOT / SOCKET).read_text())
    assert page
    for seconds in (nginx["read_timeout"], nginx["send_timeout"]):
        assert float(seconds[:-1]) > 2 * max(sse.KEEP_ALIVE, float(page[1]))
    assert nginx["body_size"] == ingress["body_size"]
    assert float(nginx["body_size"][:-1]) * 2**20 >= max(sizes._maxima().values())


def test_every_probe_asks_what_the_processes_offer():
    port = re.search(r"(?m)^EXPOSE (\d+)$", DOCKERFILE)
    alive = re.search(r"HEALTH_FILE=(\S+)", DOCKERFILE)
    assert port
    assert alive
    web, worker = (pod(name, "Deployment")["containers"][0] for name in ("web", "worker"))
    assert str(web["ports"][0]["containerPort"]) == port[1]
    assert all(COMPOSE["nginx"]["environment"][f"BUDDY_WEB_{n}"].endswith(f":{port[1]}") for n in (1, 2))
    probes = ("startupProbe", "readinessProbe", "livenessProbe")
    assert {web[probe]["httpGet"]["path"] for probe in probes} == {reverse("healthz")}
    assert f":{port[1]}{reverse('healthz')}'" in COMPOSE["web-1"]["healthcheck"]["test"][-1]
    commands = {worker[probe]["exec"]["command"][-1] for probe in probes if probe in worker}
    assert commands == {COMPOSE["worker-1"]["healthcheck"]["test"][-1]}
    assert all(command.startswith(f"find {alive[1]} ") for command in commands)


def test_what_operators_fill_in_for_compose_is_what_it_asks_for():
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy/docker/compose.yaml").read_text()))
    example = (ROOT / "deploy/docker/.env.example").read_text()
    assert asked <= set(re.findall(r"(?m)^(\w+)=", example))


def test_all_objects_of_kubernetes_run_one_image():
    kustomization = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    (image,) = kustomization["images"]
    assert pod("migrate", "Job")["containers"][0]["image"] == f"{image['newName']}:{image['newTag']}"
    for name in ("web", "worker"):
        assert pod(name, "Deployment")["containers"][0]["image"] == image["name"]


def test_workers_are_scaled_by_the_slots_of_one_cluster():
    (trigger,) = manifests("scaling")["ScaledObject"]["spec"]["triggers"]
    # The settings of these tests have others.
    found = re.findall(r'"concurrency": (\d+)', (ROOT / "buddy/settings/queue.py").read_text())
    slots = sum(map(int, found)) + get_conf().queues[DJANGO_Q_QUEUE].concurrency
    assert int(trigger["metadata"]["threshold"]) == slots


def test_queues_of_the_documented_pools_exist():
    text = (ROOT / "docs/deploy.md").read_text()
    patterns = {
        name for found in re.findall(r"--(?:queues|exclude) '?([\w*,-]+)", text) for name in found.split(",")
    }
    assert len(patterns) > 1
    for pattern in patterns:
        assert fnmatch.filter(get_conf().queues, pattern), pattern


def test_settings_of_the_files_exist():
    known = (ROOT / ".env.example").read_text() + (ROOT / "deploy/docker/.env.example").read_text()
    config = manifests("config")["ConfigMap"]["data"]
    for name in {*COMPOSE["web-1"]["environment"], *config}:
        assert re.search(rf"(?m)^#?{name}=", known), name


def test_nginx_accepts_its_configuration(tmp_path: Path):
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"):
        pytest.skip("nginx is not installed (apt-get install nginx)")
    servers.nginx_service(tmp_path, [free_port(), free_port()], (free_port(), free_port()))
    assert "$" + "{" not in (tmp_path / "nginx" / "buddy.conf").read_text()


@pytest.fixture
def installed() -> Path:
    """A root folder with the units, for systemd-analyze."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    root = Path(tempfile.mkdtemp())
    shutil.copytree(units.UNITS, root / "etc/systemd/system")
    (root / "usr/lib/systemd").mkdir(parents=True)
    (root / "usr/lib/systemd/system").symlink_to("/lib/systemd/system")
    python = root / "opt/buddy/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    yield root
    shutil.rmtree(root)


def test_systemd_accepts_the_units_and_finds_little_exposed(installed: Path):
    names = [unit.replace("@.", "@8001.") for unit in (WEB, WORKER, MIGRATE)]
    verify = ["systemd-analyze", "verify", "--man=no", f"--root={installed}", *names]
    verified = subprocess.run(verify, capture_output=True, text=True)
    assert [line for line in verified.stderr.splitlines() if "buddy" in line] == []
    for name in names:
        security = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", f"--root={installed}"]
        found = subprocess.run([*security, name], capture_output=True, text=True)
        assert found.returncode == 0, found.stdout[-300:] + found.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "deploy/docker/Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/docker/compose.yaml"],
        ["kubernetes-validate", "--strict", *OBJECTS],
    ],
    ids=lambda command: command[0],
)
def test_tools_accept_the_files(command: list[str]):
    program = TOOLS / "bin" / command[0]
    if not program.exists():
        pytest.skip("the tools are not installed (make audit installs them)")
    checked = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
