"""Conflicts of a run counted as the benchmarks compare them."""

from collections.abc import Sequence

from sim.conflicts import Conflict

PET_S, SERIOUS_PET_S = 5.0, 2.0


def counts(found: Sequence[Conflict]) -> dict[str, float]:
    """How many, by kind and by the threshold of their PET."""
    by_pet = [row for row in found if row.pet_s <= PET_S]
    return {
        "crossing by PET": float(sum(row.kind == "crossing" for row in by_pet)),
        "merging by PET": float(sum(row.kind == "merging" for row in by_pet)),
        "crossing or merging, PET up to 2 s": float(sum(row.pet_s <= SERIOUS_PET_S for row in by_pet)),
        "rear-end by TTC": float(sum(row.kind == "following" for row in found)),
    }
