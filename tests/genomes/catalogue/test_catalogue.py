"""Catalogue records: what they hold, what they never hold, and that they are JSON-LD of HealthDCAT-AP."""

from __future__ import annotations

import json
import re

import pytest

from ngc_workbench.genomes import catalogue
from ngc_workbench.genomes.catalogue.fields import FIELDS
from ngc_workbench.genomes.catalogue.health_dcat import CONTEXT, MANDATORY, health_dcat
from ngc_workbench.genomes.catalogue.record import record
from ngc_workbench.model import Dataset, OptOut, Release, utcnow
from tests.genomes.stored import add_release, internal_id

PHENOTYPES = [
    {
        "name": "age",
        "type": "int32",
        "description": "Age at sampling",
        "description_da": "Alder ved prøven",
        "unit": "years",
    },
    {
        "name": "sex",
        "type": "str",
        "kind": "category",
        "values": ["female", "male", "unknown"],
        "texts": {"male": "Male"},
    },
    {"name": "origin", "type": "str", "role": "group"},
    {"name": "case", "type": "bool"},
    {"name": "note", "type": "str", "kind": "text"},
    {"name": "diagnosis", "type": "str", "kind": "code", "system": "ICD-10"},
    {"name": "sampled", "type": "date"},
]
QUALITY = {
    "call_rate": {"mean": 0.98765, "min": 0.51, "median": 0.99}, "sex_mismatches": 2, "related_pairs": 17, "worst_sample": 0.2,
    "by": "ngci0", "people": ["ngci0"], "titv": 2.0512,
}  # fmt: skip


def person(at):
    """Phenotypes of person number `at`, of 60."""
    origin = "north" if at < 40 else "south" if at < 57 else f"rare{at}"
    return (
        20 + at,
        "male" if at < 33 else "female",
        origin,
        at % 2 == 0,
        f"free text {at}",
        "E11" if at < 20 else None,
        "2020-01-01",
    )


@pytest.fixture
def stored(settings, database):
    """Release cohort/r1 of 62 people, 60 with phenotypes; two of the men have opted out, in the database alone."""
    release = add_release(
        settings, database, people=range(62), phenotypes=PHENOTYPES, rows={at: person(at) for at in range(60)}, state="published",
        quality=QUALITY,
    )  # fmt: skip
    with database.writing() as db:
        db.get_one(Dataset, "cohort").terms = [
            {"term": "DUO:0000006"}, {"term": "DUO:0000007", "diseases": ["MONDO:0005148"]}, {"term": "DUO:0000026", "persons": ["alma"]},
        ]  # fmt: skip
        db.add_all([OptOut(tag="c0"), OptOut(tag="c1")])
    return release


@pytest.fixture
def made(settings, database, stored):
    """Its record."""
    with database.reading() as db:
        return catalogue.build(settings, db, db.get_one(Release, stored.id))


def column(made, name):
    return next(one for one in made["phenotypes"] if one["name"] == name)


def cells(made, name):
    return {one["category"] or one["text"]: one["people"] for one in column(made, name)["people"]}


def test_people_who_opted_out_are_not_counted(made):
    """60 of 62 count; of 33 men 31."""
    assert made["people"] == 60
    assert cells(made, "sex")["male"] == 30


def test_categories_add_up_and_small_ones_are_not_given_away(made):
    """Declared categories stand even when nobody has them; what is missing counts as a row; the lone small cell has company."""
    assert cells(made, "sex") == {"female": 25, "male": 30, "unknown": "small", "missing": "small"}
    assert next(one for one in column(made, "sex")["people"] if one["category"] == "male")["text"] == "Male"
    assert (
        cells(made, "case") == {"false": 30, "true": 30, "missing": "small"} or "hidden" in cells(made, "case").values()
    )
    assert sum(value in ("small", "hidden") for value in cells(made, "case").values()) == 2


def test_rare_categories_that_no_schema_declares_are_not_named(made):
    """A value that only a few have may itself name them."""
    assert "rare" not in json.dumps(made)
    assert set(cells(made, "origin")) == {"north", "south", "other", "missing"}
    assert column(made, "origin")["role"] == "group"


def test_a_category_called_other_is_not_mixed_up_with_the_rest(settings, stored):
    """The rows of the workbench have no category."""
    release = Release(
        dataset_name="cohort", name="x", manifest={**stored.manifest, "phenotypes": [{"name": "kind", "type": "str"}]}
    )
    rows = [("other",)] * 10 + [("missing",)] * 10 + [("a",), ("b",)] * 3
    found = record(Dataset(name="cohort", title="", description="", terms=[]), release, 30, rows, 5)
    assert [(one["category"], one.get("text"), one["people"]) for one in found["phenotypes"][0]["people"]] == [
        ("missing", None, 10), ("other", None, 10), (None, "other", "hidden"), (None, "missing", "small"),
    ]  # fmt: skip


def test_measurements_are_figures_without_extremes(made):
    """No minimum, no maximum, no exact number; texts and dates have none at all."""
    age = column(made, "age")
    assert set(age["summary"]) == {"mean", "sd", "step", "quantiles"}
    assert age["known"] == 60
    assert age["summary"]["mean"] % age["summary"]["step"] == 0
    for name in ("note", "sampled"):
        assert not {"summary", "people"} & set(column(made, name))
    assert "free text" not in json.dumps(made)


def test_quality_holds_figures_of_the_cohort_alone(made):
    """Extremes are one person's; small counts are hidden; texts and lists are left out."""
    assert made["quality"] == {
        "call_rate": {"mean": 0.988, "median": 0.99}, "sex_mismatches": "small", "related_pairs": 15, "titv": 2.05,
    }  # fmt: skip


def test_fields_and_terms_are_described_in_two_languages(made):
    """Each field of the genotypes, each term of use; persons whom a term names stay out."""
    assert [one["name"] for one in made["fields"]] == ["locus", "alleles", "GT", "DP"]
    assert all(one["description"] != one["description_da"] for one in made["fields"])
    assert all(english != danish for _, english, danish in FIELDS.values())
    assert [one["term"] for one in made["terms"]] == ["DUO:0000006", "DUO:0000007", "DUO:0000026"]
    assert made["terms"][1]["diseases"] == ["MONDO:0005148"]
    assert "alma" not in json.dumps(made)


def test_one_person_less_mostly_changes_nothing_and_never_more_than_a_step(settings, stored):
    """Of 58 people, each taken away in turn, more than half leave figures and total as they read before."""
    dataset = Dataset(name="cohort", title="", description="", terms=[])
    everybody = [person(at) for at in range(2, 60)]
    before = record(dataset, stored, 60, everybody, 5)
    same = 0
    for at in range(58):
        after = record(dataset, stored, 59, everybody[:at] + everybody[at + 1 :], 5)
        old, new = (column(one, "age")["summary"] for one in (before, after))
        same += (old, before["people"]) == (new, after["people"])
        assert abs(old["mean"] - new["mean"]) <= old["step"]
        for share, value in old["quantiles"].items():
            assert abs(value - new["quantiles"][share]) <= old["step"]
    assert same > 29


def test_nothing_of_the_custodian_zone_is_in_either_record(settings, made):
    """Neither internal ids, nor tags, nor paths, nor hashes of sources."""
    for text in (json.dumps(made), json.dumps(health_dcat(settings, made))):
        assert "ngci" not in text
        assert not re.search(r"[0-9a-f]{32}", text)
        assert str(settings.state_dir) not in text
        assert internal_id(5) not in text


# -- JSON-LD --------------------------------------------------------------------------------------


def expand(node):
    """The terms of a JSON-LD node as addresses, by our own context; fails for a prefix that it does not declare."""
    if isinstance(node, list):
        return [expand(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key == "@context":
            continue
        if key in ("@id", "@type"):
            found[key] = address(value)
        elif key in ("@value", "@language"):
            found[key] = value
        else:
            found[address(key)] = expand(value)
    return found


def address(term):
    prefix, colon, rest = term.partition(":")
    assert colon
    if prefix in CONTEXT:
        return CONTEXT[prefix] + rest
    assert prefix in ("http", "https", "mailto"), term
    return term


def nodes(node, kind):
    if isinstance(node, list):
        for one in node:
            yield from nodes(one, kind)
    elif isinstance(node, dict):
        if node.get("@type") == address(kind):
            yield node
        for value in node.values():
            yield from nodes(value, kind)


@pytest.fixture
def linked(settings, made):
    """The record as JSON-LD, read back and expanded."""
    return expand(json.loads(json.dumps(health_dcat(settings, made))))


def test_each_mandatory_property_is_there(linked):
    """What the shapes of HealthDCAT-AP release 8 for NON_PUBLIC ask for at least once (shapes/non-public-shapes.ttl)."""
    asked = {
        "dct:accessRights", "dcatap:applicableLegislation", "dcat:distribution", "dct:identifier", "dcat:theme", "healthdcatap:hdab",
        "healthdcatap:healthCategory", "healthdcatap:hasStructuredData", "dcat:contactPoint", "dcat:keyword", "dct:type", "dct:provenance",
        "healthdcatap:hasVariables", "dct:title", "dct:description",
    }  # fmt: skip
    assert set(MANDATORY) == asked
    for name in asked:
        assert linked[address(name)], name
    assert linked["@type"] == "http://www.w3.org/ns/dcat#Dataset"
    rights = linked[address("dct:accessRights")]["@id"]
    assert rights == "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC"


def test_parts_have_what_their_shapes_ask_for(linked):
    """Agents with a contact point, columns with name, title, description and type, distributions with law and address."""
    wanted = {
        "foaf:Agent": ("foaf:name", "cv:contactPoint"), "cv:ContactPoint": ("cv:email",), "vcard:Kind": ("vcard:hasEmail",),
        "dcat:Distribution": ("dcatap:applicableLegislation", "dcat:accessURL"), "csvw:TableGroup": ("csvw:table", "dct:title"),
        "csvw:Table": ("dct:title", "csvw:column"), "csvw:Column": ("csvw:name", "csvw:title", "dct:description", "csvw:datatype"),
    }  # fmt: skip
    for kind, names in wanted.items():
        found = list(nodes(linked, kind))
        assert found, kind
        for node in found:
            assert all(node.get(address(name)) for name in names), (kind, node)
    assert len(list(nodes(linked, "csvw:Column"))) == 4 + len(PHENOTYPES)


def test_numbers_are_those_of_the_record_and_hidden_ones_are_left_out(settings, made, linked):
    """People rounded, ages by quantiles; a record that hides its people gives no number."""
    people = {"@value": "60", "@type": "http://www.w3.org/2001/XMLSchema#nonNegativeInteger"}
    assert linked[address("healthdcatap:numberOfUniqueIndividuals")] == people
    low, high = (int(linked[address(f"healthdcatap:{end}TypicalAge")]["@value"]) for end in ("min", "max"))
    assert 22 < low < high < 79
    few = health_dcat(settings, {**made, "people": None, "phenotypes": []})
    assert not [key for key in few if "number" in key or "Age" in key]


def test_terms_of_use_stand_as_a_policy_and_as_rights(linked):
    """Permissions as the purpose of an ODRL offer; every term as a right, under its DUO address."""
    (offer,) = nodes(linked, "odrl:Offer")
    constraints = offer[address("odrl:permission")][address("odrl:constraint")]
    assert [one[address("odrl:rightOperand")]["@id"] for one in constraints] == [
        "http://purl.obolibrary.org/obo/DUO_0000006", "http://purl.obolibrary.org/obo/DUO_0000007",
    ]  # fmt: skip
    assert [one["@id"][-4:] for one in nodes(linked, "dct:RightsStatement")] == ["0006", "0007", "0026"]


def test_names_and_addresses_come_from_the_settings(settings, made):
    """Publisher and health data access body are the installation's own."""
    own = settings.model_copy(
        update={"publisher_name": "NGC", "hdab_name": "HDAB", "hdab_email": "hdab@ngc.example", "demo": False}
    )
    found = health_dcat(own, made)
    assert found["dct:publisher"]["foaf:name"] == "NGC"
    assert found["healthdcatap:hdab"]["cv:contactPoint"]["cv:email"] == "hdab@ngc.example"
    assert found["dct:type"]["@id"].endswith("/STATISTICAL")
    assert found["dcat:distribution"]["dcat:accessURL"]["@id"].startswith(own.portal_url)


def test_an_unpublished_release_has_no_files(settings, database, stored):
    """Writing brings files in line with the state: there for a published release, gone for any other."""
    path = settings.catalogue_dir / "cohort" / "r1.json"
    with database.writing() as db:
        row = db.get_one(Release, stored.id)
        row.published = utcnow()
        assert catalogue.write(settings, db, row)
        assert json.loads(path.read_text())["published"] == row.published.date().isoformat()
        row.state = "withdrawn"
        assert not catalogue.write(settings, db, row)
    assert not path.exists()
