"""The files for operators: no container engine is asked, but all that they name is there and every command is one."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from companion import config
from companion.metrics import Metrics
from tests.docs.test_documents import refused

ROOT = Path(__file__).parents[2]
DOCKER = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SECRET = ("deploy/vasari.env", "deploy/tls", "deploy/prometheus/key")  # made by whoever runs it
OF_PROMETHEUS = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}


def steps(kind: str) -> list[str]:
    return re.findall(rf"^{kind} (.+)$", DOCKER, re.MULTILINE)


def test_the_image_is_small_and_not_roots() -> None:
    """What hadolint would say, as far as it concerns this file: DL3002, DL3006, DL3007, DL3020, DL3025, DL3042."""
    assert all(re.fullmatch(r"[\w/]+:[\w.-]*\d[\w.-]*( AS \w+)?", image) for image in steps("FROM"))
    assert not steps("ADD") and "latest" not in DOCKER
    assert steps("USER")[-1] not in ("root", "0")
    assert all(isinstance(json.loads(one), list) for kind in ("CMD", "ENTRYPOINT", "VOLUME") for one in steps(kind))
    assert all("--no-cache-dir" in run for run in steps("RUN") if "pip install" in run)
    assert "HEALTHCHECK" in DOCKER and "STOPSIGNAL SIGTERM" in DOCKER


def test_all_that_is_copied_is_there_and_let_through() -> None:
    sources = [source for copy in steps("COPY") if "--from" not in copy for source in copy.split()[:-1]]
    let = set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert sources and [one for one in sources if not (ROOT / one).exists() or f"!{one}" not in let] == []


@pytest.mark.parametrize(
    "command",
    [
        [*json.loads(steps("ENTRYPOINT")[0]), *json.loads(re.findall(r"^CMD (.+)$", DOCKER, re.MULTILINE)[-1])],
        ["companion", *COMPOSE["services"]["models"]["command"]],
    ],
    ids=" ".join,
)
def test_the_commands_of_containers_exist(command: list[str]) -> None:
    assert not refused(command)


def test_the_health_check_is_a_program() -> None:
    (check,) = re.findall(r"^HEALTHCHECK .*? CMD (.+)$", DOCKER, re.MULTILINE)
    program, _, code = json.loads(check)
    assert program == "python" and "/health" in code
    compile(code, "health check", "exec")


def test_all_that_is_mounted_is_there() -> None:
    mounts = [v for s in COMPOSE["services"].values() for v in s.get("volumes", ()) if v.startswith("./")]
    places = [mount.split(":")[0].removeprefix("./") for mount in mounts]
    assert len(places) >= 8
    assert [one for one in places if not (ROOT / one).exists() and one not in SECRET] == []
    named = {v.split(":")[0] for s in COMPOSE["services"].values() for v in s.get("volumes", ())} - set(mounts)
    assert {one for one in named if not one.startswith("./")} == set(COMPOSE["volumes"])


def test_services_wait_for_services_and_have_fixed_versions() -> None:
    services = COMPOSE["services"]
    assert all(other in services for s in services.values() for other in s.get("depends_on", ()))
    assert all(re.search(r":\D*\d", s["image"]) for s in services.values() if "image" in s)
    assert services["server"]["read_only"] and services["server"]["cap_drop"] == ["ALL"]


def test_the_server_has_time_to_let_conversations_end() -> None:
    drains = config.load(ROOT / "deploy/vasari.toml").server.drain_s
    assert drains > 0 and int(COMPOSE["services"]["server"]["stop_grace_period"].rstrip("s")) > drains


def expressions() -> list[str]:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))
    board = json.loads((ROOT / "deploy/grafana/dashboards/vasari.json").read_text("utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return alerts + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_figures_that_there_are() -> None:
    metrics = Metrics()
    metrics.latency.labels("first_audio").observe(1.0)
    metrics.stages.labels("think").observe(1.0)
    metrics.responses.labels("failed").inc()
    metrics.refused.labels("server_busy").inc()
    metrics.errors.labels("x").inc()
    known = set(re.findall(r"^(\w+)[ {]", generate_latest(metrics.registry).decode(), re.MULTILINE)) | OF_PROMETHEUS
    asked = {name for one in expressions() for name in re.findall(r"\b(?:vasari_\w+|process_\w+|up)\b(?!\")", one)}
    assert len(asked) > 10 and asked - known == set()


def test_prometheus_finds_its_rules_and_the_server() -> None:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    mounts = [v.split(":")[1] for v in COMPOSE["services"]["prometheus"]["volumes"]]
    assert set(scrape["rule_files"]) <= set(mounts)
    (job,) = scrape["scrape_configs"]
    assert job["authorization"]["credentials_file"] in mounts
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert host in COMPOSE["services"] and f"EXPOSE {port}" in DOCKER
    assert shlex.split(steps("EXPOSE")[0]) == [port]
