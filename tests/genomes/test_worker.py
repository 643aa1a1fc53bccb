"""The container that Hail runs in."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ngc_workbench.errors import ConfigurationError, InputError, IntegrityError, Unavailable
from ngc_workbench.genomes import worker
from ngc_workbench.genomes.hail_worker.faults import Mismatch, classify
from ngc_workbench.genomes.worker import Mount, Worker, docker_command

PROGRAM = Path(worker.__file__).parent / "hail_worker"


def test_the_container_has_no_network_and_no_rights(settings):
    """The command, word by word: what an image says can't undo it."""
    command = docker_command(
        settings,
        "sha256:x",
        "ngc-test-job-y",
        [Mount(Path("/a b"), "/in"), Mount(Path("/c"), "/out", writable=True)],
        (12, 34),
    )
    text = " ".join(command)
    for words in (
        "--network none", "--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", "--user 12:34",
        f"--memory {settings.worker_memory_mb}m", f"--memory-swap {settings.worker_memory_mb}m", "--pids-limit",
        "--label ngc-workbench=test", "--label ngc-workbench.kind=job", "--name ngc-test-job-y",
        "--entrypoint /opt/workbench/bin/python",
    ):  # fmt: skip
        assert words in text
    assert "--privileged" not in text
    mounts = [command[at + 1] for at, word in enumerate(command) if word == "--mount"]
    assert mounts == [
        f"type=bind,source={PROGRAM},target=/worker/hail_worker,readonly",
        "type=bind,source=/a b,target=/in,readonly",
        "type=bind,source=/c,target=/out",
    ]
    assert "-v" not in command
    assert "--volume" not in text


def test_a_path_that_docker_would_misread_is_refused():
    """A comma would begin another option of the mount."""
    with pytest.raises(ConfigurationError):
        Mount(Path("/a,readonly=false"), "/in").option()


def test_the_program_in_the_container_imports_hail_and_the_standard_library_alone():
    """Nothing of the control plane stands in the image."""
    for path in PROGRAM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            assert all(name.split(".")[0] in {*sys.stdlib_module_names, "hail", "hail_worker"} for name in names), (
                path.name
            )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("java.io.IOException: No space left on device: /out/HG00096", "disk_full"),
        ("java.lang.OutOfMemoryError: HG00096", "out_of_memory"),
        ("is.hail.io.vcf.VCFParseError: HG00096 in /in/x.vcf", "input"),
        ("FileNotFoundException: /mother/HG00096", "integrity"),
        ("something else about HG00096 in /in", "other"),
    ],
)
def test_errors_become_fixed_texts(said, code):
    """No path, no name of a sample, whatever Hail says."""
    found, text = classify(RuntimeError(said))
    assert found == code
    assert "HG00096" not in text
    assert "/" not in text
    assert classify(Mismatch("The order differs.")) == ("integrity", "The order differs.")


FAKE = """#!/usr/bin/env python3
import json, sys
if sys.argv[1] != "run":
    sys.exit(0)
for line in sys.stdin:
    verb = json.loads(line)["verb"]
    if verb == "start":
        print(json.dumps({"result": {"hail": "1.2"}}), flush=True)
        continue
    if verb == "die":
        sys.exit(int(json.loads(line)["arguments"]["code"]))
    print(json.dumps({"progress": "halfway"}), flush=True)
    print(json.dumps({"error": {"code": verb, "text": "It failed."}} if verb != "good" else {"result": {"a": 1}}), flush=True)
"""


@pytest.fixture
def fake_docker(tmp_path, monkeypatch, settings):
    """A `docker` that answers as the worker would."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(FAKE)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    settings.custody_dir.mkdir(parents=True)
    return settings.model_copy(update={"session_image": "sha256:x"})


def files(settings):
    return [path.name for path in settings.custody_dir.rglob("*") if path.is_file()]


def test_a_call_gives_progress_and_a_result(fake_docker):
    """And leaves neither log nor scratch folder."""
    said = []
    with Worker(fake_docker, "x", [], said.append) as running:
        assert running.hail_version == "1.2"
        assert running.call("good") == {"a": 1}
    assert said == ["Starting Hail", "halfway"]
    assert files(fake_docker) == []
    assert list((fake_docker.custody_dir / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("verb", "kind", "text"),
    [
        ("input", InputError, "It failed"),
        ("integrity", IntegrityError, "It failed"),
        ("disk_full", Unavailable, "disk"),
        ("out_of_memory", Unavailable, "worker_memory_mb"),
        ("other", Unavailable, "log"),
    ],
)
def test_each_code_has_its_error(fake_docker, verb, kind, text):
    """And the log stays for the custodian, readable by the owner alone."""
    with pytest.raises(kind, match=text), Worker(fake_docker, "x", [], lambda _: None) as running:
        running.call(verb)
    (log,) = (fake_docker.custody_dir / "logs").iterdir()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_container_that_dies_is_told_in_one_line(fake_docker):
    """Killed for memory (137), or anything else."""
    with pytest.raises(Unavailable, match="memory"), Worker(fake_docker, "x", [], lambda _: None) as running:
        running.call("die", code=137)
    with pytest.raises(Unavailable, match="exit code 3"), Worker(fake_docker, "x", [], lambda _: None) as running:
        running.call("die", code=3)


def test_no_docker_is_told_in_one_line(settings, tmp_path, monkeypatch):
    """Neither the program nor the engine."""
    settings.custody_dir.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="Docker does not answer"), Worker(settings, "x", [], lambda _: None):
        pass


@pytest.mark.docker
def test_an_engine_that_does_not_answer_is_told_in_one_line(settings, monkeypatch):
    """A socket that nobody listens at."""
    settings.custody_dir.mkdir(parents=True)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    with pytest.raises(Unavailable, match="Docker does not answer"), Worker(settings, "x", [], lambda _: None):
        pass
    monkeypatch.delenv("DOCKER_HOST")
    assert (
        subprocess.run(
            ["docker", "ps", "-q", "--filter", "name=ngc-test-job-x"], capture_output=True, check=True
        ).stdout
        == b""
    )
