"""What the fields of a release's genotypes mean, for the catalogue: type (a name of CSVW), English, Danish."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, str, str]] = {
    "locus": ("string", "Chromosome and position of the variant.", "Variantens kromosom og position."),
    "alleles": (
        "string",
        "The reference allele, then the alternatives, as bases.",
        "Referenceallelen, derefter de alternative, som baser.",
    ),
    "GT": ("string", "Genotype: which two alleles the person carries.", "Genotype: hvilke to alleler personen bærer."),
    "AD": ("string", "Number of reads that show each allele.", "Antal læsninger, der viser hver allel."),
    "DP": ("integer", "Number of reads at the position.", "Antal læsninger ved positionen."),
    "GQ": (
        "integer",
        "Quality of the genotype: -10 log10 of the chance that it is wrong.",
        "Genotypens kvalitet: -10 log10 af sandsynligheden for, at den er forkert.",
    ),
    "PL": (
        "string",
        "Likelihood of each possible genotype, on the scale of GQ, the best being 0.",
        "Sandsynlighed for hver mulig genotype, på GQ's skala, den bedste er 0.",
    ),
    "MIN_DP": ("integer", "Fewest reads at a position of the block.", "Færrest læsninger ved en position i blokken."),
    "END": ("integer", "Last position of the block.", "Blokkens sidste position."),
    "LGT": (
        "string",
        "Genotype, by the person's own list of alleles.",
        "Genotype efter personens egen liste af alleler.",
    ),
    "LAD": (
        "string",
        "Reads of each allele on the person's own list.",
        "Læsninger af hver allel på personens egen liste.",
    ),
    "LA": ("string", "The alleles on the person's own list.", "Allelerne på personens egen liste."),
    "LPL": (
        "string",
        "Likelihoods of genotypes, by the person's own list of alleles.",
        "Sandsynligheder for genotyper efter personens egen liste af alleler.",
    ),
}
"""Fields that a release may have; of others the catalogue gives the name alone."""


def describe(name: str) -> tuple[str, str, str]:
    """Type, English and Danish text of a field."""
    return FIELDS.get(name, ("string", f"Field {name} of the genotypes.", f"Feltet {name} af genotyperne."))
