"""docs/scale-out.md: its commands run, its manifests and scripts can be read by what they are for, and its tables are
what the simulation prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")
import yaml

from tests.docs.test_docs import ROOT, run_commands
from tests.support.cli import Run

sys.path.insert(0, str(ROOT / "benchmarks"))
from simulate_scale import KEPT, Assumed, make_tables, put

PAGE = (ROOT / "docs" / "scale-out.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def manifest(holding: str) -> dict[str, Any]:
    [text] = [block for block in blocks("yaml") if holding in block]
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def test_every_command_that_needs_one_machine_works(tmp_path: Path, short_broadcast: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "news.wav").write_bytes(short_broadcast.read_bytes())
    run_commands("docs/scale-out.md", tmp_path)


def test_ray_up_takes_the_cloud_cluster() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    cluster = prepare_config(manifest("cluster_name"))
    validate_config(cluster)
    assert cluster["head_node_type"] in cluster["available_node_types"]


def test_the_kubernetes_job_is_whole() -> None:
    """Its definition is in the operator, which is not here: what every RayJob needs, and that the names in it agree."""
    job = manifest("kind: RayJob")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    pods = [g["template"]["spec"] for g in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
    assert len(pods) == 2
    for pod in pods:
        [container] = pod["containers"]
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert f"rayproject/ray:{cluster['rayVersion']}-" in blocks("dockerfile")[0], "one Ray on all nodes"
    [group] = cluster["workerGroupSpecs"]
    assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_the_batch_script_is_a_script(tmp_path: Path) -> None:
    [script] = blocks("bash")
    (tmp_path / "job.sh").write_text(script, encoding="utf-8")
    assert subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=False).returncode == 0


def test_every_option_and_every_actor_it_names_exists(aramega: Run, tmp_path: Path) -> None:
    [shell] = [block for block in blocks("sh") if "ray exec" in block]
    lines = [
        manifest("kind: RayJob")["spec"]["entrypoint"],
        re.search(r'--tmux "(.*?)"\n', shell.replace('\\"', "'"), re.DOTALL)[1],  # type: ignore[index]
        blocks("bash")[0].partition("-- \\\n")[2],
    ]
    [stored] = [block for block in blocks("sh") if "s3://" in block]
    help = aramega("build-ssum", "--help", env={**os.environ, "COLUMNS": "200"}).out
    assert all(option in help for option in re.findall(r"(?<= )--[a-z-]+", stored))
    for line in lines:
        options = re.findall(r"(?<= )--[a-z-]+", line)
        assert {"--engine", "--ray-address", "--workers", "--asr-model", "--set"} <= set(options)
        assert all(option in help for option in options), line
        assert re.findall(r"engine\.(\w+)=\[.transcribe=\d.\]", line) == ["actors", "gpus"]


def test_its_tables_are_what_the_simulation_prints() -> None:
    """After measuring anew: python benchmarks/simulate_scale.py --into docs/scale-out.md"""
    tables = make_tables(json.loads(KEPT.read_text(encoding="utf-8")), Assumed())
    assert all(f"<!-- table: {name} -->" in PAGE for name in tables)
    assert put(tables, PAGE) == PAGE
