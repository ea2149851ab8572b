"""docs/CLUSTERS.md: what can be kept of its files and commands without a cluster."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from analyzer.cli.app import app

TEXT = (Path(__file__).parents[3] / "docs" / "CLUSTERS.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
LAUNCHER, KUBERAY = (yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml")
(SCRIPT,) = (text for kind, text in BLOCKS if kind == "bash")


def commands(name):
    """Words after `name` on each line of a block that is no file."""
    found = []
    for kind, text in BLOCKS:
        for line in text.splitlines() if kind != "yaml" else ():
            words = shlex.split(line.replace("$(", " ").replace(")", " "), comments=True)
            if name in words:
                found.append([w for w in words[words.index(name) + 1 :] if w != "&"])
    return found


def check(command, words):
    """Each subcommand and option is one that `command` (of click) has."""
    own = command.commands[words[0]]
    known = {name for p in own.params for name in p.opts}
    options = {w.partition("=")[0] for w in words[1:] if w.startswith("-")}
    assert options <= known, (words, options - known)


def test_each_command_of_ray_and_drift_is_one():
    scripts = pytest.importorskip("ray.scripts.scripts")
    of_ray, of_drift = commands("ray"), commands("drift")
    assert {words[0] for words in of_ray} >= {"start", "status", "up", "attach", "down"}
    assert len(of_drift) >= 4
    for words in of_ray:
        check(scripts.cli, words)
    for words in of_drift:
        check(typer.main.get_command(app), words)


def test_ray_takes_the_file_of_its_launcher():
    util = pytest.importorskip("ray.autoscaler._private.util")
    whole = util.prepare_config(LAUNCHER)
    util.validate_config(whole)
    (kind,) = whole["available_node_types"].values()
    assert kind["max_workers"] == len(LAUNCHER["provider"]["worker_ips"])


#: Fields of KubeRay's RayCluster that the file may use, with their types; those with a star must be there. As in
#: ray-operator/apis/ray/v1/raycluster_types.go; a Pod's as in Kubernetes' core/v1.
CONTAINER = {
    "name*": str,
    "image*": str,
    "resources": {"limits": dict},
    "volumeMounts": [{"name*": str, "mountPath*": str}],
}
CLAIM = {"claimName*": str}
VOLUME = {"name*": str, "persistentVolumeClaim": CLAIM, "emptyDir": {"medium": str}}
POD = {"spec*": {"containers*": [CONTAINER], "volumes": [VOLUME]}}
GROUP = {"rayStartParams*": dict, "template*": POD}
SIZES = {"groupName*": str, "replicas": int, "minReplicas": int, "maxReplicas": int}
SPEC = {"rayVersion": str, "headGroupSpec*": GROUP, "workerGroupSpecs": [{**GROUP, **SIZES}]}
CLUSTER = {"apiVersion*": str, "kind*": str, "metadata*": {"name*": str}, "spec*": SPEC}


def fits(value, wanted, where=""):
    """Whether a value has the fields that are wanted, and no others."""
    if isinstance(wanted, type):
        assert isinstance(value, wanted), where
    elif isinstance(wanted, list):
        for i, item in enumerate(value):
            fits(item, wanted[0], f"{where}[{i}]")
    else:
        names = {key.rstrip("*"): inner for key, inner in wanted.items()}
        assert set(value) <= set(names), where
        assert {key[:-1] for key in wanted if key.endswith("*")} <= set(value), where
        for key, item in value.items():
            fits(item, names[key], f"{where}.{key}")


def test_kuberay_knows_the_fields_of_its_file():
    fits(KUBERAY, CLUSTER)
    assert (KUBERAY["apiVersion"], KUBERAY["kind"]) == ("ray.io/v1", "RayCluster")
    for group in (KUBERAY["spec"]["headGroupSpec"], *KUBERAY["spec"]["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
        assert "/data" in {m["mountPath"] for m in container["volumeMounts"]}  # the driver's pod, too
    (head,) = (w[0] for w in commands("-l"))
    assert head == f"ray.io/cluster={KUBERAY['metadata']['name']},ray.io/node-type=head"


def test_start_parameters_are_text_and_options_of_ray_start():
    scripts = pytest.importorskip("ray.scripts.scripts")
    known = {name for p in scripts.cli.commands["start"].params for name in p.opts}
    for group in (KUBERAY["spec"]["headGroupSpec"], *KUBERAY["spec"]["workerGroupSpecs"]):
        for key, value in group["rayStartParams"].items():
            assert f"--{key}" in known
            assert isinstance(value, str)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_runs_the_script_of_slurm(tmp_path):
    """With stand-ins for Slurm, Ray and drift that write down how they were called."""
    calls = tmp_path / "calls"
    for name in ("srun", "drift", "sleep"):
        (tmp_path / name).write_text(f'#!/bin/bash\necho "{name} $SRUN_CPUS_PER_TASK $@" >> {calls}\n')
    (tmp_path / "scontrol").write_text("#!/bin/bash\nprintf 'n1\\nn2\\nn3\\n'\n")
    for file in tmp_path.iterdir():
        file.chmod(0o755)
    slurm = {"SLURM_CPUS_PER_TASK": "16", "SLURM_JOB_NODELIST": "n[1-3]", "SLURM_JOB_NUM_NODES": "3"}
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", **slurm}
    done = subprocess.run(["bash", "-euc", f"{SCRIPT}\nwait"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = [line.split() for line in calls.read_text().splitlines()]
    starts = {tuple(words[2:]) for words in made if words[0] == "srun"}
    head = ("ray", "start", "--head", "--port", "6379", "--num-cpus", "16", "--block")
    others = ("ray", "start", "--address", "n1:6379", "--num-cpus", "16", "--block")
    assert starts == {
        ("--nodes=1", "--ntasks=1", "-w", "n1", *head),
        ("--nodes=2", "--ntasks=2", "--exclude=n1", *others),
    }
    assert all(words[1] == "16" for words in made)
    assert ["drift", "16", "analyze", "runs/detect/train", "--ray", "n1:6379", "--yes"] in made
