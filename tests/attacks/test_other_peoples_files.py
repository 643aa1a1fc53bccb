"""Channel: other people's and other projects' folders, and the control plane's secrets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ngc_workbench.errors import Refused
from ngc_workbench.sessions import network
from tests.sites import Hostile

pytestmark = pytest.mark.docker


def test_exactly_the_approved_view_and_the_three_folders_are_mounted(enter: Callable[..., Hostile]) -> None:
    """Everything else that is mounted is the container's own."""
    code = """
own = {'proc', 'tmpfs', 'devpts', 'sysfs', 'cgroup', 'cgroup2', 'mqueue', 'overlay'}
lines = [line.split() for line in open('/proc/self/mounts')]
print(json.dumps({target: options.split(',')[0] for source, target, kind, options, *_ in lines if kind not in own and not target.startswith('/etc/')}))
"""
    assert enter().run(code) == {"/data/cohort/r1": "ro", "/project": "rw", "/home/researcher": "rw", "/outbox": "rw"}


def test_the_environment_names_nothing_of_the_machine(enter: Callable[..., Hostile]) -> None:
    """No path of the machine, no other secret than the session's own token."""
    hostile = enter()
    environment = hostile.run("print(json.dumps(dict(os.environ)))")
    assert not [key for key, value in environment.items() if str(hostile.runtime.settings.state_dir) in value]
    assert not [key for key in environment if key.startswith("NGC_")]


def test_a_colleague_home_is_not_there(enter: Callable[..., Hostile]) -> None:
    """What one writes at home, the other does not find; what one writes in /project, the other does."""
    alma, bo = enter("alma"), enter("bo")
    alma.run(
        "[open(path + '/note', 'w').write('x') for path in ('/home/researcher', '/outbox', '/project')]; print(json.dumps('ok'))"
    )
    code = "print(json.dumps([os.path.exists(path + '/note') for path in ('/home/researcher', '/outbox', '/project')]))"
    assert bo.run(code) == [False, False, True]


def test_a_link_in_place_of_a_folder_refuses_the_start(enter: Callable[..., Hostile]) -> None:
    """A view's folder that is a link to elsewhere is not mounted, and nothing is left of the start."""
    hostile = enter("bo")
    settings = hostile.runtime.settings
    view = hostile.begun.wanted.mounts[0].source
    custody = settings.custody_dir
    custody.mkdir(parents=True)
    view.rename(view.with_name("moved"))
    view.symlink_to(custody)
    with pytest.raises(Refused, match="not where it must be"):
        enter("alma")
    labels = {"label": [f"{network.LABEL}={settings.instance}", network.SESSION_LABEL]}
    names = [name for item in hostile.runtime.docker.containers(all=True, filters=labels) for name in item["Names"]]
    assert names == [f"/ngc-test-{hostile.begun.session}"]
