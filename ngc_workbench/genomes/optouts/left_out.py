"""Who must not be in the views of a release."""

from __future__ import annotations

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session, aliased

from ngc_workbench.model import Individual, OptOut, Release
from ngc_workbench.policy.optouts import is_left_out


def left_out(db: Session, release: Release) -> frozenset[str]:
    """Internal ids of the dataset's people who must not be in a view of this release (`policy.optouts.is_left_out`).

    An entry counts by CPR number and by sample name. One by sample name counts in every dataset as soon as the sample's
    CPR number is known. Of several entries about one person each keeps them out.
    """
    named = aliased(Individual)
    columns = (Individual.internal_id, OptOut.recorded, OptOut.ended)
    here = Individual.dataset_name == release.dataset_name
    by_cpr = select(*columns).join(OptOut, OptOut.tag == Individual.cpr_tag).where(here)
    by_sample = select(*columns).join(OptOut, OptOut.tag == Individual.sample_tag).where(here)
    by_sample_elsewhere = (
        select(*columns)
        .join(named, named.cpr_tag == Individual.cpr_tag)
        .join(OptOut, OptOut.tag == named.sample_tag)
        .where(here)
    )
    return frozenset(
        internal_id
        for internal_id, recorded, ended in db.execute(union_all(by_cpr, by_sample, by_sample_elsewhere))
        if is_left_out(recorded=recorded, ended=ended, release_created=release.created)
    )
