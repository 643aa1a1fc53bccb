"""The catalogue: what a published release holds, told without telling anything about one person.

`record` is our own JSON, `health_dcat` the same as a HealthDCAT-AP record (JSON-LD). docs/catalogue.md describes both.
"""

from ngc_workbench.genomes.catalogue.files import remove, write, write_dataset
from ngc_workbench.genomes.catalogue.health_dcat import health_dcat
from ngc_workbench.genomes.catalogue.record import build, record, shapes

__all__ = ["build", "health_dcat", "record", "remove", "shapes", "write", "write_dataset"]
