"""A catalogue record as HealthDCAT-AP: a `dcat:Dataset` of access rights NON_PUBLIC, as JSON-LD.

Vocabulary and obligations: HealthDCAT-AP release 8, shapes for NON_PUBLIC (https://healthdataeu.pages.code.europa.eu/healthdcat-ap/),
on DCAT-AP 3. `MANDATORY` lists what those shapes ask for at least once. Codes of authority lists are the Commission's
(hdeu-dcat.data.health.europa.eu) and the Publications Office's.

Terms of use stand twice, since neither way is standard: permissions as an ODRL offer (`odrl:hasPolicy`, the permitted
purpose being the DUO term), and every term as a rights statement of the distribution, under its DUO address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngc_workbench.settings import Settings

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "obo": "http://purl.obolibrary.org/obo/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
MANDATORY = (
    "dct:title", "dct:description", "dct:identifier", "dct:accessRights", "dct:type", "dct:provenance", "dcatap:applicableLegislation",
    "dcat:distribution", "dcat:theme", "dcat:contactPoint", "dcat:keyword", "healthdcatap:hdab", "healthdcatap:healthCategory",
    "healthdcatap:hasStructuredData", "healthdcatap:hasVariables",
)  # fmt: skip
"""Properties with a least number of 1 in the shapes for NON_PUBLIC (hasVariables: because hasStructuredData is true)."""

_EU = "http://publications.europa.eu/resource/authority/"
_HEALTH = "https://hdeu-dcat.data.health.europa.eu/resource/authority/"
EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
_TYPES = {
    "bool": "boolean",
    "int32": "integer",
    "int64": "integer",
    "float64": "double",
    "str": "string",
    "date": "date",
}


def health_dcat(settings: Settings, record: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON-LD of a record. Numbers that the record hides are left out."""
    name = f"{record['dataset']}/{record['release']}"
    here = f"{settings.portal_url}catalogue/{name}"
    english = record["description"] or f"Genomes and phenotypes of the dataset {record['dataset']}."
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": here,
        "@type": "dcat:Dataset",
        "dct:title": [_text(record["title"], "en")],
        "dct:description": [_text(english, "en"), _text(_danish(record), "da")],
        "dct:identifier": name,
        "dcat:version": record["release"],
        "dct:accessRights": _id(f"{_EU}access-right/NON_PUBLIC"),
        "dct:type": _id(f"{_EU}dataset-type/{'TEST_DATA' if settings.demo else 'STATISTICAL'}"),
        "dct:publisher": _agent(settings.publisher_name, settings.publisher_email),
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _text("Sequenced genomes, stored under pseudonyms; people who opted out are left out.", "en"),
        },
        "dcatap:applicableLegislation": _id(EHDS),
        "dcat:theme": _id(f"{_EU}data-theme/HEAL"),
        "dcat:keyword": [_text("genome", "en"), _text("genotypes", "en"), _text("genom", "da")],
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:hasEmail": _id(f"mailto:{settings.publisher_email}")},
        "dct:spatial": _id(f"{_EU}country/DNK"),
        "healthdcatap:hdab": _agent(settings.hdab_name, settings.hdab_email),
        "healthdcatap:healthCategory": _id(f"{_HEALTH}healthcategories/HGPD"),
        "healthdcatap:populationCoverage": _text("People whose genome the centre holds and who have not opted out.", "en"),
        "healthdcatap:hasStructuredData": {"@value": "true", "@type": "xsd:boolean"},
        "healthdcatap:hasVariables": _variables(record),
        "dpv:hasLegalBasis": {"@type": "dpv:LegalBasis", "dct:source": _id(EHDS)},
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:description": _text("Research, on the terms of use stated.", "en")},
        "dpv:hasPersonalData": _id("https://w3id.org/dpv/pd#Genetic"),
        "dcat:distribution": {
            "@type": "dcat:Distribution",
            "dct:title": _text("Access inside the secure processing environment", "en"),
            "dcat:accessURL": _id(here),
            "dcatap:applicableLegislation": _id(EHDS),
            "dct:rights": [_rights(term) for term in record["terms"]],
        },
    }  # fmt: skip
    if record["published"]:
        found["dct:issued"] = {"@value": record["published"], "@type": "xsd:date"}
    if record["people"] is not None:
        found["healthdcatap:numberOfUniqueIndividuals"] = _count(record["people"])
        found["healthdcatap:numberOfRecords"] = _count(record["people"])
    found |= _ages(record) | _coding(record)
    purposes = [term["iri"] for term in record["terms"] if term["kind"] == "permission"]
    if purposes:
        found["odrl:hasPolicy"] = {
            "@type": "odrl:Offer",
            "odrl:permission": {
                "odrl:target": _id(here),
                "odrl:action": _id("odrl:use"),
                "odrl:constraint": [
                    {
                        "odrl:leftOperand": _id("odrl:purpose"),
                        "odrl:operator": _id("odrl:isA"),
                        "odrl:rightOperand": _id(iri),
                    }
                    for iri in purposes
                ],
            },
        }
    return found


def _danish(record: Mapping[str, Any]) -> str:
    people = f"omkring {record['people']} personer" if record["people"] is not None else "få personer"
    return f"Genotyper for {people} på {record['genome']}, med {len(record['phenotypes'])} fænotyper."


def _variables(record: Mapping[str, Any]) -> dict[str, Any]:
    tables = [("Genotypes", [_column(one, one["type"]) for one in record["fields"]])]
    if record["phenotypes"]:
        tables.append(("Phenotypes", [_column(one, _TYPES[one["type"]]) for one in record["phenotypes"]]))
    return {
        "@type": "csvw:TableGroup",
        "dct:title": _text("Fields of the release", "en"),
        "csvw:table": [
            {"@type": "csvw:Table", "dct:title": _text(title, "en"), "csvw:column": columns}
            for title, columns in tables
        ],
    }


def _column(one: Mapping[str, Any], datatype: str) -> dict[str, Any]:
    texts = [_text(one["description"] or f"Phenotype {one['name']}.", "en")]
    if one.get("description_da"):
        texts.append(_text(one["description_da"], "da"))
    return {
        "@type": "csvw:Column",
        "csvw:name": one["name"],
        "csvw:title": _text(one["name"], "en"),
        "dct:description": texts,
        "csvw:datatype": datatype,
    }


def _ages(record: Mapping[str, Any]) -> dict[str, Any]:
    """Typical ages: the outer quantiles of a column `age`, never a minimum or maximum."""
    age = next((one for one in record["phenotypes"] if one["name"].lower() == "age" and "summary" in one), None)
    quantiles = list(age["summary"]["quantiles"].values()) if age else []
    if not quantiles or quantiles[0] < 0:
        return {}
    return {
        "healthdcatap:minTypicalAge": _count(int(quantiles[0])),
        "healthdcatap:maxTypicalAge": _count(int(quantiles[-1])),
    }


def _coding(record: Mapping[str, Any]) -> dict[str, Any]:
    """Coding systems that the phenotypes name, as text: the authority list has no code for each of them."""
    systems = sorted({one["system"] for one in record["phenotypes"] if one.get("system")})
    return {"healthdcatap:hasCodeValues": systems} if systems else {}


def _rights(term: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@id": term["iri"],
        "@type": "dct:RightsStatement",
        "rdfs:label": [_text(f"{term['label']}: {term['description']}", "en"), _text(term["description_da"], "da")],
    }


def _agent(name: str, email: str) -> dict[str, Any]:
    return {
        "@type": "foaf:Agent",
        "foaf:name": name,
        "cv:contactPoint": {"@type": "cv:ContactPoint", "cv:email": email},
    }


def _text(value: str, language: str) -> dict[str, str]:
    return {"@value": value, "@language": language}


def _id(address: str) -> dict[str, str]:
    return {"@id": address}


def _count(number: int) -> dict[str, str]:
    return {"@value": str(number), "@type": "xsd:nonNegativeInteger"}
