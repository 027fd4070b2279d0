"""The files of deploy/monitoring/, in a real Prometheus: each rule fires and ends, each query is answered."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from queueing.control import verbs
from tests.project.test_metrics import documented
from tests.support.cluster import ROOT
from tests.support.valkey import free_port, wait_until
from tests.support.web import WebServer

FILES = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((FILES / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((FILES / "grafana.json").read_text())
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
TOKEN = "scrape-me-if-you-can"

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("promtool") and shutil.which("prometheus")),
    reason="Prometheus is not installed (apt-get install prometheus)",
)

#: Minutes of health, of trouble and of health again, in promtool's notation.
UP_AND_DOWN = "1x5 0x30 1x60"
DOWN_AND_UP = "0x5 1x30 0x60"
#: A counter that grows; one that stops growing while there is trouble; one that grows only then.
GROWS, GROWS_NOT, GROWS_THEN = "0+10x110", "0+10x10 100x40 100+10x60", "0x10 0+10x40 400x60"


def buckets(of: str, quick: str, slow: str, **labels: str) -> dict[str, str]:
    """Return a histogram whose events are in the bucket `quick`, and in trouble in `slow`."""
    values = {quick: GROWS_NOT, slow: GROWS, "+Inf": GROWS}
    return {series(f"{of}_bucket", le=bound, **labels): value for bound, value in values.items()}


def series(name: str, **labels: str) -> str:
    """Return the name of a series."""
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


WARNING = {"code": "outage", "queue": "q", "instance": "a"}
CHAT = {"queue": "openai-chat", "instance": "a"}
#: Alert -> (series in trouble from minute 10 to 35, or longer; the labels of the alert beside its severity).
TROUBLE: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "BuddyUnreachable": ({series("up", job="buddy", instance="a"): UP_AND_DOWN}, {}),
    "BuddyWebProcessDown": (
        {series("up", job="buddy", instance="a"): UP_AND_DOWN},
        {"job": "buddy", "instance": "a"},
    ),
    "BuddyCritical": (
        {series("buddy_warning", level="critical", **WARNING): DOWN_AND_UP},
        {"code": "outage", "queue": "q"},
    ),
    "BuddyWarning": (
        {series("buddy_warning", level="warning", **WARNING): DOWN_AND_UP},
        {"code": "outage", "queue": "q"},
    ),
    "BuddyClusterLost": ({series("buddy_clusters_lost", instance="a"): DOWN_AND_UP}, {}),
    "BuddyWaitLong": (buckets("buddy_job_wait_seconds", "1.024", "65.536", **CHAT), {"queue": "openai-chat"}),
    "BuddyFirstTokenSlow": (
        buckets("buddy_job_first_token_seconds", "1.024", "131.072", **CHAT),
        {"queue": "openai-chat"},
    ),
    "BuddyJobsFail": (
        {
            series("buddy_jobs_finished_total", outcome="failed", **CHAT): GROWS_THEN,
            series("buddy_jobs_finished_total", outcome="completed", **CHAT): GROWS,
            series("buddy_jobs_finished_total", outcome="cancelled", **CHAT): "0+500x110",
        },
        {"queue": "openai-chat"},
    ),
    "BuddyServerErrors": (
        {
            series("buddy_web_requests_total", status="503", instance="a"): GROWS_THEN,
            series("buddy_web_requests_total", status="200", instance="a"): GROWS,
        },
        {},
    ),
    "BuddyLoopSlow": (buckets("buddy_web_loop_lag_seconds", "0.1", "1.0", instance="a"), {"instance": "a"}),
    "BuddyFilesNearlyUsed": (
        {
            series("process_open_fds", job="buddy", instance="a"): "10x5 90x30 10x60",
            series("process_max_fds", job="buddy", instance="a"): "100x100",
        },
        {"job": "buddy", "instance": "a"},
    ),
    "BuddyExpensive": (
        {series("buddy_cost_total", model="m", currency="EUR", instance="a"): "0x5 0+1x40 40x1600"},
        {"currency": "EUR"},
    ),
}


def unit_test(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a test in promtool's form: it is quiet, fires in the middle, and is quiet at the end."""
    of_rule, labels = TROUBLE[rule["alert"]]
    end = "1560m" if rule["alert"] == "BuddyExpensive" else "95m"
    firing = [{"exp_labels": labels | rule["labels"]}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in of_rule.items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": rule["alert"], "exp_alerts": alerts}
            for at, alerts in (("4m", []), ("34m", firing), (end, []))
        ],
    }


@needs_prometheus
def test_every_rule_fires_and_ends(tmp_path: Path):
    assert {rule["alert"] for rule in RULES} == set(TROUBLE)
    bare = [{name: value for name, value in rule.items() if name != "annotations"} for rule in RULES]
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "buddy", "rules": bare}]}))
    tests = {"rule_files": ["alerts.yml"], "tests": [unit_test(rule) for rule in RULES]}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests))
    told = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr


@needs_prometheus
def test_promtool_accepts_the_configuration(tmp_path: Path):
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "buddy-token").write_text(TOKEN)
    told = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_rules_and_dashboard_name_only_metrics_that_exist():
    known = {re.sub(r"_(bucket|sum|count)$", "", name) for name in documented()} | {"up"}
    for text in [rule["expr"] for rule in RULES] + [target["expr"] for target in TARGETS]:
        names = re.findall(r"\b((?:buddy|process)_\w+|up)\b(?=[{\[)])", text)
        assert names, text
        assert {re.sub(r"_bucket$", "", name) for name in names} <= known, text


def test_rules_of_the_docs_are_those_of_the_file():
    rows = re.findall(r"(?m)^\| `(Buddy\w+)` \| (\w+) \|", (ROOT / "docs" / "monitoring.md").read_text())
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


class Prometheus:
    """A real Prometheus with the files, but with short times and other targets."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        rules = (FILES / "alerts.yml").read_text()
        rules = re.sub(r"\[\d+m\]", "[10s]", re.sub(r"for: \d+m", "for: 2s", rules))
        (directory / "alerts.yml").write_text(rules)
        (directory / "buddy-token").write_text(TOKEN)
        config = yaml.safe_load((FILES / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        del config["scrape_configs"][0]["static_configs"]
        config["scrape_configs"][0]["file_sd_configs"] = [
            {"files": ["targets.json"], "refresh_interval": "1s"}
        ]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.watch()
        command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"]
        self.process = subprocess.Popen(command, cwd=directory)

    def watch(self, *servers: WebServer) -> None:
        """Scrape these web processes from now on."""
        targets = [{"targets": [f"127.0.0.1:{server.port}" for server in servers]}]
        fresh = self.directory / "fresh.json"
        fresh.write_text(json.dumps(targets))
        fresh.replace(self.directory / "targets.json")

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the data of an answer."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> float:
        """Return the value of a query with one result; 0 without a result."""
        found = self.get("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def firing(self) -> set[tuple[str, str]]:
        """Return the alerts that fire now: (name, code)."""
        alerts = [alert for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"]
        return {(alert["labels"]["alertname"], alert["labels"].get("code", "")) for alert in alerts}


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """A running Prometheus without targets."""
    started = Prometheus(tmp_path)

    def answers() -> bool:
        try:
            return started.get("alerts") is not None
        except OSError:
            return False

    wait_until(answers, "Prometheus")
    yield started
    started.process.terminate()
    assert started.process.wait(20) == 0


def fires_and_ends(prometheus: Prometheus, alert: tuple[str, str], end: Callable[[], object]) -> None:
    """Wait until the alert fires. Then end its cause, and wait until it is over."""
    wait_until(lambda: alert in prometheus.firing(), f"{alert} to fire", 60)
    end()
    wait_until(lambda: alert not in prometheus.firing(), f"{alert} to end", 60)


def answered(prometheus: Prometheus, query: str) -> int:
    """Return the number of series that a query of the dashboard finds in the last minute."""
    for name, value in {"$job": "buddy", "$queue": ".+", "$__rate_interval": "20s"}.items():
        query = query.replace(name, value)
    now = time.time()
    return len(prometheus.get("query_range", query=query, start=now - 60, end=now, step=5)["result"])


@needs_prometheus
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_prometheus_sees_load_and_trouble_of_a_running_site(prometheus, web, qcluster, provider):
    """Its alerts fire and end, and every query of the dashboard is answered."""
    environment = {**provider.publishes, "METRICS_TOKEN": TOKEN, "THREAD_TITLES": "0"}
    environment |= {"OPENAI_PRICES": json.dumps({"scripted": {"input": 1, "output": 1}})}
    servers = [web(**environment), web(**environment)]
    cluster = qcluster(**environment)
    prometheus.watch(*servers)
    wait_until(lambda: prometheus.value("sum(up)") == 2, "both targets", 60)
    for number in range(8):
        assert servers[number % 2].send("POST", "/api/travel", {"message": "Where to?"}).status == 202
    tokens = "max(buddy_job_first_token_seconds_count{queue='openai-chat'})"
    wait_until(lambda: prometheus.value(tokens) == 8, "the answers on record", 60)
    assert prometheus.value("sum(buddy_web_requests_total{method='POST', status='202'})") == 8
    silent = [target["expr"] for target in TARGETS if not answered(prometheus, target["expr"])]
    # While all is well there is no outage, no wrong password and no warning.
    assert [q for q in silent if not re.search(r"> 0$|buddy_tries|buddy_warning", q)] == []

    verbs.pause("openai-chat")
    servers[0].send("POST", "/api/travel", {"message": "And then?"})
    fires_and_ends(prometheus, ("BuddyWarning", "paused"), lambda: verbs.resume("openai-chat"))
    cluster.stop()
    fires_and_ends(prometheus, ("BuddyCritical", "no_workers"), lambda: qcluster(**environment))
    servers[1].stop()
    fires_and_ends(prometheus, ("BuddyWebProcessDown", ""), lambda: prometheus.watch(servers[0]))
    servers[0].stop()
    fires_and_ends(prometheus, ("BuddyUnreachable", ""), lambda: prometheus.watch(web(**environment)))
