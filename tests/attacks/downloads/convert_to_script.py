"""A notebook is converted to a script, as an attachment."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"""
    import nbformat
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('# {ground.token}')])
    nbformat.write(book, '/home/researcher/loot.ipynb')
    """)
    return ground.gets("nbconvert/script/home/loot.ipynb?download=true")


ATTACK = Attack("HTTP download", attempt, recorded=("gateway.refused", "nbconvert.export"))
