"""Executors by name and by file, and the files of docker/executors and docker/k8s: settings, schemas, and names that must be the same in all."""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import Definitions
from dagster._core.instance.config import dagster_instance_config

from pipelines.assets import ACCELERATOR, study_assets
from pipelines.executors import EXECUTORS, VARIABLE, chosen_execution, execution
from pipelines.resources import GraphStoreResource, HomeResource
from roicg.core.errors import StudyError
from roicg.core.settings import Study

DOCKER = Path(__file__).parents[2] / "docker"
FILES = sorted((DOCKER / "executors").glob("*.yaml"))
K8S = DOCKER / "k8s"
IMAGE, HOME = "roicg:latest", {"name": "home", "persistentVolumeClaim": {"claimName": "roicg-home"}}


def needs(name: str) -> None:
    module = EXECUTORS[name].partition(":")[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install 'roicg[scale]')")


def objects() -> dict[str, dict[str, Any]]:
    """Kind/name → object of every manifest that the kustomization names."""
    names = yaml.safe_load((K8S / "kustomization.yaml").read_text())["resources"]
    found = [each for name in names for each in yaml.safe_load_all((K8S / name).read_text())]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in objects().items():
        if each["kind"] == "Deployment":
            yield name, each["spec"]["template"]["spec"]


def settings(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / name).read_text()))


def test_without_a_word_steps_run_in_the_process_of_their_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    found = chosen_execution()
    assert (found.name, found.in_one_process, found.on_accelerator) == ("in_process", True, {})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_of_executors_fit_their_executor(path: Path, monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    """Dagster checks the settings; the definitions of a study take the executor, and its tags where an accelerator is needed."""
    needs(path.stem)
    monkeypatch.setenv(VARIABLE, str(path))
    monkeypatch.setenv("ROICG_CELERY_BROKER", "memory://")
    monkeypatch.setenv("ROICG_CELERY_BACKEND", "rpc://")
    found = chosen_execution()
    assert (found.name, found.in_one_process) == (path.stem, False)
    assets = study_assets(study, found.on_accelerator)
    resources = {"home": HomeResource(), "graphs": GraphStoreResource()}
    Definitions(assets=assets, resources=resources, executor=found.executor).resolve_all_job_defs()
    told = {(asset.op.pool == ACCELERATOR, _sorted({name: _plain(asset.op.tags.get(name)) for name in found.on_accelerator})) for asset in assets}
    assert told == {(True, _sorted(found.on_accelerator)), (False, _sorted(dict.fromkeys(found.on_accelerator)))}


def _sorted(tags: Mapping[str, Any]) -> str:
    return json.dumps(dict(tags), sort_keys=True)


def _plain(tag: str | None) -> Any:
    """Dagster keeps a tag that is no text as JSON."""
    return json.loads(tag) if tag is not None and tag.startswith("{") else tag


def test_a_step_on_kubernetes_gets_its_gpu(study: Study) -> None:
    """By Dagster's own reading of the tags: only steps of the pool `accelerator` ask for one."""
    needs("k8s")
    from dagster_k8s.job import get_user_defined_k8s_config

    for asset in study_assets(study, settings("executors/k8s.yaml")["accelerator"]):
        container = get_user_defined_k8s_config(asset.op.tags).container_config
        assert container.get("resources", {}).get("limits", {}).get("nvidia.com/gpu") == ("1" if asset.op.pool == ACCELERATOR else None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("executor: slurm", "no executor 'slurm'; known: in_process, multiprocess"),
        ("executor: multiprocess\nconfg: {}", "unknown key 'confg'; allowed are accelerator, config, executor"),
        ("executor: multiprocess\nconfig: {max_concurent: 2}", "the settings do not fit the executor multiprocess: .*max_concurent"),
        ("- executor", "must hold the key executor"),
        ("executor: [", "neither one of in_process"),
    ],
)
def test_a_file_that_does_not_fit_is_said_in_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(text)
    with pytest.raises(StudyError, match=sentence):
        execution(str(path))
    with pytest.raises(StudyError, match="neither one of"):
        execution(str(tmp_path / "none.yaml"))


def test_an_executor_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXECUTORS, "celery", "dagster_not_there:celery_executor")
    with pytest.raises(StudyError, match="needs dagster-not-there, which is not installed"):
        execution("celery")


def test_the_instance_on_kubernetes_fits_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instance settings by Dagster's own check, the launcher's by its own."""
    needs("k8s")
    from dagster._config import process_config, resolve_to_config_type
    from dagster_k8s import K8sRunLauncher

    written = settings("k8s/dagster.yaml")
    launcher = process_config(resolve_to_config_type(K8sRunLauncher.config_type()), written["run_launcher"]["config"])
    assert launcher.success, [error.message for error in launcher.errors or ()]
    config, _ = dagster_instance_config(str(K8S))
    assert config["run_launcher"]["class"] == "K8sRunLauncher"


def test_every_name_in_the_manifests_is_defined() -> None:
    """Seen to fail with a selector, a claim, a map and a port renamed in one place only."""
    found = objects()
    made = {f"ConfigMap/{each['name']}" for each in settings("k8s/kustomization.yaml")["configMapGenerator"]}
    for name, pod in pods():
        (container,) = pod["containers"]
        labels, selector = found[name]["spec"]["template"]["metadata"]["labels"], found[name]["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels.items()
        assert f"ServiceAccount/{pod['serviceAccountName']}" in found
        assert HOME in pod["volumes"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert {f"ConfigMap/{volume['configMap']['name']}" for volume in pod["volumes"] if "configMap" in volume} <= made
        assert [source for each in container["envFrom"] for source in each.values()] == [{"name": "roicg-environment"}, {"name": "roicg-secrets"}]
        assert container["image"] == IMAGE
        if (service := found.get(name.replace("Deployment", "Service"))) is not None:
            assert service["spec"]["selector"] == labels
            assert [each["targetPort"] for each in service["spec"]["ports"]] == [each["name"] for each in container["ports"]]
    assert {"ConfigMap/roicg-environment", "PersistentVolumeClaim/roicg-home", "Role/roicg-runs"} <= set(found)
    (server,) = settings("k8s/workspace.yaml")["load_from"]
    (port,) = found[f"Service/{server['grpc_server']['host']}"]["spec"]["ports"]
    assert port["port"] == server["grpc_server"]["port"]


def test_pods_of_runs_and_of_steps_see_what_the_code_location_sees() -> None:
    """Image, home, environment and account of the launcher and of the executor; and no password in any file."""
    environment = objects()["ConfigMap/roicg-environment"]["data"]
    assert not [name for name in environment if "PASSWORD" in name]
    asked = {each["env"] for each in settings("k8s/dagster.yaml")["storage"]["postgres"]["postgres_db"].values() if isinstance(each, dict)}
    assert asked - set(environment) == {"DAGSTER_PG_PASSWORD"}
    launcher = settings("k8s/dagster.yaml")["run_launcher"]["config"]
    assert launcher["dagster_home"] == environment["DAGSTER_HOME"]
    for config in (launcher, settings("executors/k8s.yaml")["config"]):
        assert (config["job_image"], config["service_account_name"], config["volumes"]) == (IMAGE, "roicg-runs", [HOME])
        assert config["volume_mounts"] == [{"name": "home", "mountPath": environment["ROICG_HOME"]}]
        assert (config["env_config_maps"], config["env_secrets"]) == (["roicg-environment"], ["roicg-secrets"])


def test_the_manifests_fit_the_published_schema() -> None:
    """As strict as the API server: an unknown key is an error. Seen to fail with `replica: 1`."""
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for name, each in objects().items():
        validate.validate(each, "1.33", strict=True), name
