"""Digests of genotypes: one number a column, from every entry field and the place of each row.

For a column: the sum over rows of weight(row) * value(entry), modulo 2^31 - 1. The weight comes from the row's locus and
alleles, so that the order of rows does not matter and their content does; the value mixes all entry fields. Equal lists
of digests, in order, mean equal genotypes for equal positions (a chance of 1 in 2^31 a column that a change is missed).
"""

from __future__ import annotations

from typing import Any

import hail as hl

_PRIME = 2147483647
_MIX = 48271


def _call(call: Any) -> Any:
    """A whole number for a call: its alleles, ploidy and phase."""
    return hl.bind(
        lambda c: hl.if_else(
            hl.is_missing(c),
            hl.int64(1),
            hl.switch(c.ploidy)
            .when(0, hl.int64(2))
            .when(1, hl.int64(3) + c[0] * 8)
            .when(2, hl.int64(4) + (hl.int64(c[0]) * 4096 + c[1]) * 8 + hl.int64(c.phased))
            .default(hl.int64(5)),
        ),
        call,
    )


def _value(expression: Any) -> Any:
    """A whole number (int64, non-negative) for one entry field."""
    kind = expression.dtype
    if kind == hl.tcall:
        return _call(expression)
    if isinstance(kind, hl.tarray):
        return hl.or_else(
            hl.fold(
                lambda sum_, one: (sum_ * _MIX + hl.or_else(hl.int64(one), -1) + 2) % _PRIME, hl.int64(7), expression
            ),
            hl.int64(1),
        )
    return hl.or_else((hl.int64(expression) + 2) % _PRIME, hl.int64(1))


def digest_columns(mt: Any, rows: int | None = None) -> list[Any]:
    """The columns in stored order, each a Struct of its column fields, `digest` (text) and `rows` (how many were read).

    Over the first `rows` rows, or all of them; one pass. `cols()` of a keyed matrix is sorted, so the key goes first.
    """
    if rows is not None:
        mt = mt.head(rows)
    weight = (mt.locus.global_position() + 1) % _PRIME
    for allele in (mt.alleles[0], hl.delimit(mt.alleles, ",")):
        weight = (weight * _MIX + hl.len(allele) + 1) % _PRIME
    fields = list(mt.entry)
    mt = mt.annotate_rows(weight=weight)
    value = hl.int64(0)
    for field in fields:
        value = (value * _MIX + _value(mt[field])) % _PRIME
    mt = mt.annotate_entries(value=value)
    mt = mt.annotate_cols(digest=hl.agg.sum((mt.weight * mt.value) % _PRIME) % _PRIME, rows=hl.agg.count())
    return [column.annotate(digest=f"{column.digest:08x}") for column in mt.key_cols_by().cols().collect()]


def carried_by(mt: Any) -> list[Any]:
    """What each person carries, in stored order: Struct(s, calls, digest), over the calls that differ from the reference.

    The digest is the sum over those calls of weight(place) * (number of alternative alleles, depth, quality), modulo
    2^31 - 1. Neither the numbering of alleles nor sites that nobody carries count, so that a cut can be compared with
    its release.
    """
    mt = mt.annotate_rows(weight=(mt.locus.global_position() + 1) % _PRIME)
    value = hl.int64(mt.GT.n_alt_alleles())
    for field in ("DP", "GQ"):
        if field in mt.entry:
            value = (value * _MIX + _value(mt[field])) % _PRIME
    mt = mt.annotate_entries(value=hl.if_else(hl.coalesce(mt.GT.is_non_ref(), False), value, hl.int64(0)))
    mt = mt.annotate_cols(
        calls=hl.agg.count_where(mt.value > 0), digest=hl.agg.sum((mt.weight * mt.value) % _PRIME) % _PRIME
    )
    columns = mt.key_cols_by().cols()
    found: list[Any] = columns.select("s", "calls", "digest").collect()
    return found
