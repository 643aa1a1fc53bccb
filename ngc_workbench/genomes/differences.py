"""What is different between two releases of the genome store, told without pointing at a person.

Numbers of people who joined or left are given from the disclosure threshold on; from 1 to below it as `<5`. Numbers
of people in either release are rounded then too, or their difference would say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ngc_workbench.policy import disclosure


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], before: Sequence[str], after: Sequence[str], small: int
) -> dict[str, Any]:
    """The differences of two manifests; `before` and `after` are the internal ids in each release.

    Gives JSON: people, variants, genome, and for fields, phenotypes, tools, options and files what was added, removed
    or changed (files: how many).
    """
    joined, left = len(set(after) - set(before)), len(set(before) - set(after))
    return {
        "people": {
            "old": disclosure.rounded(len(before), small), "new": disclosure.rounded(len(after), small),
            "joined": _number(joined, small), "left": _number(left, small),
        },
        "variants": {"old": old["counts"]["variants"], "new": new["counts"]["variants"]},
        "kind": _pair(old.get("kind", "matrix"), new.get("kind", "matrix")),
        "genome": _pair(old["genome"], new["genome"]),
        "entry_fields": _lists(old["entry_fields"], new["entry_fields"]),
        "row_fields": _lists(old["row_fields"], new["row_fields"]),
        "phenotypes": _mappings(
            {column["name"]: column for column in old["phenotypes"]}, {column["name"]: column for column in new["phenotypes"]}
        ),
        "accepted": _lists(old.get("accepted", ()), new.get("accepted", ())),
        "tools": _mappings(old["tools"], new["tools"]),
        "sources": {"same": old["sources"] == new["sources"], "old": len(old["sources"]), "new": len(new["sources"])},
        "files": {name: len(paths) for name, paths in _mappings(old["files"], new["files"]).items()},
    }  # fmt: skip


def tell(found: Mapping[str, Any]) -> list[str]:
    """The differences as lines for a person; what did not change is left out, but for people and variants."""
    people, variants = found["people"], found["variants"]
    lines = [
        f"people      about {_or_few(people['old'])} -> {_or_few(people['new'])} (joined {people['joined']}, left {people['left']})",
        f"variants    {variants['old']} -> {variants['new']}",
    ]
    lines += [
        f"{name:11} {found[name]['old']} -> {found[name]['new']}"
        for name in ("kind", "genome")
        if found[name]["old"] != found[name]["new"]
    ]
    for name in ("entry_fields", "row_fields", "phenotypes", "accepted", "tools"):
        parts = [f"{what} {', '.join(map(str, items))}" for what, items in found[name].items() if items]
        if parts:
            lines.append(f"{name.replace('_', ' '):11} {'; '.join(parts)}")
    files = ", ".join(f"{count} {what}" for what, count in found["files"].items() if count)
    lines.append(f"files       {files or 'the same'}")
    lines.append(f"sources     {'the same' if found['sources']['same'] else 'other files'}")
    return lines


def _or_few(count: int | None) -> str:
    return "few" if count is None else str(count)


def _number(count: int, small: int) -> int | str:
    return f"<{small}" if 0 < count < small else disclosure.rounded(count, small) or 0


def _pair(old: Any, new: Any) -> dict[str, Any]:
    return {"old": old, "new": new}


def _lists(old: Sequence[Any], new: Sequence[Any]) -> dict[str, list[str]]:
    first, second = {str(item) for item in old}, {str(item) for item in new}
    return {"added": sorted(second - first), "removed": sorted(first - second)}


def _mappings(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in old.keys() & new.keys() if old[name] != new[name]),
    }
