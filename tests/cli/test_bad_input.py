"""What a person sees when something they gave, or something on the machine, can't be used: one line, a remedy, an exit code."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from ngc_workbench.audit import AuditEvent
from ngc_workbench.cli.main import main
from ngc_workbench.model import Project, Release

HEADER = "##fileformat=VCFv4.2\n##contig=<ID=1,length=249250621>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=x>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\n"
RECORD = "1\t1000\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/0\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stderr: str


@pytest.fixture
def command(settings, database, add_person, tmp_path, monkeypatch, capfd):
    """Runs `ngc-workbench`, as its entry point does, on an installation with a custodian and a support officer."""
    add_person("karen", "custodian")
    add_person("sofie", "support_officer")
    config = tmp_path / "workbench.toml"
    config.write_text(
        f'instance = "test"\nstate_dir = "{settings.state_dir}"\ndemo = true\npublic_port = {settings.public_port}\n',
        encoding="utf-8",
    )

    def run(*words, **env):
        for key, value in env.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setattr("sys.argv", ["ngc-workbench", "--config", str(config), *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, capfd.readouterr().err)

    return run


def last_line(done):
    lines = done.stderr.strip().splitlines()
    assert not any("Traceback" in line for line in lines), done.stderr
    return lines[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.vcf", "", "empty.vcf"),
        ("text.vcf", "hello\n", "text.vcf"),
        ("cut.vcf", HEADER + COLUMNS + RECORD[:20], "cut.vcf"),
        ("index.vcf", HEADER + COLUMNS + RECORD.replace("0/1", "0/2"), "line 5"),
        ("twice.vcf", HEADER + COLUMNS.replace("S2", "S1") + RECORD, "twice.vcf"),
    ],
)
def test_a_malformed_vcf_is_named_with_a_remedy_and_nothing_is_kept(
    command, database, settings, tmp_path, name, content, said
):
    """The file, what is wrong and what to do; no release, no folder, no stack trace."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    done = command("--as", "karen", "ingest", "--dataset", "cohort", "--release", "r1", str(tmp_path / name))
    assert done.returncode == 4
    assert said in last_line(done)
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(Release)) == 0
    assert not list((settings.custody_dir / "releases").rglob("matrix.mt"))


def test_a_missing_file_and_a_directory_are_said(command, tmp_path):
    """An unreadable path is an error of input."""
    for path in (tmp_path / "missing.vcf", tmp_path):
        done = command("--as", "karen", "ingest", "--dataset", "cohort", "--release", "r1", str(path))
        assert done.returncode == 4, done.stderr
        assert last_line(done).startswith("ngc-workbench: ")


def test_phenotypes_that_name_nobody_in_the_vcf_are_refused(command, tmp_path):
    """A table without a matching id is said before anything is made."""
    (tmp_path / "ok.vcf").write_text(HEADER + COLUMNS + RECORD, encoding="utf-8")
    (tmp_path / "pheno.tsv").write_text("sample\ttrait\nX1\t1.5\nX2\t2.5\n", encoding="utf-8")
    done = command(
        "--as", "karen", "ingest", "--dataset", "cohort", "--release", "r1", "--pheno", str(tmp_path / "pheno.tsv"),
        str(tmp_path / "ok.vcf"),
    )  # fmt: skip
    assert done.returncode == 4
    assert "phenotype table has no row about anybody in the VCF" in last_line(done)


def test_an_unknown_project_is_not_found(command):
    """An unknown project has its own exit code, and the remedy names the command that lists what there is."""
    done = command("--as", "sofie", "project", "suspend", "nowhere", "--reason", "test")
    assert done.returncode == 5
    assert "nowhere" in last_line(done)
    assert "project list" in last_line(done)


def test_a_release_that_was_not_published_provisions_nothing(command, database):
    """No project is left behind when its data does not exist."""
    done = command(
        "--as", "sofie", "project", "provision", "heart", "--title", "T", "--purpose", "P", "--ethics", "E",
        "--member", "sofie", "--release", "cohort/r1",
    )  # fmt: skip
    assert done.returncode in (4, 5)
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(Project)) == 0


def test_somebody_without_the_role_is_refused(command, tmp_path):
    """A refusal by policy has its own exit code."""
    done = command("--as", "sofie", "ingest", "--dataset", "cohort", "--release", "r1", str(tmp_path / "any.vcf"))
    assert done.returncode == 7
    assert "custodian" in last_line(done)


def test_a_move_outside_the_table_of_states_is_refused_and_recorded(command, database):
    """The refusal stays in the log although its own transaction was rolled back."""
    with database.writing() as db:
        db.add(Project(name="heart", title="T", purpose="P", ethics_approval="E", state="closed"))
    assert command("--as", "sofie", "project", "resume", "heart", "--reason", "no").returncode == 7
    with database.reading() as db:
        last = db.scalars(select(AuditEvent.body).order_by(AuditEvent.seq)).all()[-1]
        assert "command.refused" in last
        assert "state.no_such_move" in last
        assert db.get(Project, "heart").state == "closed"


def test_only_a_security_officer_exports_the_audit_log(command, database, add_person, tmp_path):
    """Others are refused and recorded, and no bundle is written."""
    add_person("signe", "security_officer")
    assert command("--as", "karen", "audit", "export", str(tmp_path / "bundle")).returncode == 7
    assert not (tmp_path / "bundle").exists()
    with database.reading() as db:
        assert "command.refused" in db.scalars(select(AuditEvent.body).order_by(AuditEvent.seq)).all()[-1]
    assert command("--as", "signe", "audit", "export", str(tmp_path / "bundle")).returncode == 0
    assert command("audit", "verify", "--bundle", str(tmp_path / "bundle")).returncode == 0


# docker-py leaves the socket of a failed handshake to the garbage collector, which warns in whichever test comes next.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_docker_that_does_not_answer_is_said(command):
    """`up` names Docker and the command that mends it; nothing is started."""
    done = command("up", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert done.returncode == 3
    assert "Docker does not answer" in last_line(done)
    del done
    gc.collect()
    assert command("status").returncode == 1


def test_the_demo_looks_at_its_files_before_it_starts_anything(command, tmp_path):
    """A file that is not there, or a table without genotypes, ends the demo at once."""
    assert command("demo", "--vcf", str(tmp_path / "missing.vcf")).returncode == 4
    assert command("demo", "--pheno", str(tmp_path / "missing.tsv")).returncode == 4
    assert command("status").returncode == 1
