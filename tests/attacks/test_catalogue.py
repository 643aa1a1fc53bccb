"""Every attack of the catalogue works on a plain JupyterHub, fails here, and is recorded here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ngc_workbench.settings import Settings
from tests.attacks.attack import Attack, catalogue
from tests.attacks.grounds import image
from tests.attacks.grounds.here import Here
from tests.attacks.grounds.lab import Lab, chromium
from tests.attacks.grounds.plain import Plain
from tests.attacks.grounds.world import World

pytestmark = [pytest.mark.docker, pytest.mark.browser, pytest.mark.attack]

ATTACKS = catalogue()
each = pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Outside of both grounds."""
    with World() as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for both grounds."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def attacker() -> str:
    """The image that both grounds start."""
    return image.build()


@pytest.fixture(scope="module")
def plain(world: World, browser: Browser, attacker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    """Where attacks work."""
    folder: Path = tmp_path_factory.mktemp("plain")
    settings = Settings(instance="atk", demo=True, state_dir=folder, session_image=attacker)
    with Plain(world, settings, folder) as ground:
        ground.lab = Lab(browser, ground.enter)
        yield ground
        ground.lab.close()


@pytest.fixture(scope="module")
def here(world: World, browser: Browser, attacker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Where they fail."""
    with Here(world, tmp_path_factory.mktemp("here"), attacker) as ground:
        ground.lab = Lab(browser, ground.enter)
        yield ground
        ground.lab.close()


@each
def test_it_works_on_a_plain_hub(plain: Plain, attack: Attack) -> None:
    """Else its failing here would say nothing."""
    plain.begin()
    assert attack.attempt(plain), attack.says


@pytest.fixture(scope="module")
def tried() -> list[Attack]:
    """What was tried here so far."""
    return []


@each
def test_it_fails_here(here: Here, tried: list[Attack], attack: Attack) -> None:
    """With the same image, and the same means."""
    here.begin()
    tried.append(attack)
    since = here.newest()
    assert not attack.attempt(here), attack.says
    here.note_network()
    if attack.recorded and attack.recorded[0] == "network.refused":
        assert here.recorded(*attack.recorded, since=since), attack.recorded


def test_what_was_tried_here_is_recorded(here: Here, tried: list[Attack]) -> None:
    """As often as it was tried; of what is alike the gateway writes the first at once, and the others as a count, within a minute."""
    wanted = Counter(one.recorded for one in tried if one.recorded and one.recorded[0] == "gateway.refused")
    assert here.lacking(wanted, patience_s=90) == {}
