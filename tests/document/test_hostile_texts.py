"""Whatever stands in a corpus, a config or an answer comes out as text: never as markup, code or an address."""

import re
from collections import Counter

import pytest
from hostile_audits import COLUMNS, STRINGS, UTF8

from auditor.corpus.cleaning import plain
from auditor.report.drawing import formats

PLACES = {
    "hostile-classifier": (
        *("id", "text", "value", "answer", "fact", "model", "parameter", "setting", "note", "failure"),
        *("column", "reviewer", "role"),
    ),
    "hostile-generator": ("prompt", "continued"),
    "hostile-chooser": ("candidate",),
}
HARMLESS = ("classifier", "language-model", "scripts", "empty", "tiny")
JOINED = {"column", "reviewer", "role"}
"""Places where several payloads stand in one string."""
READ = {"id", "text", "value", "prompt", "candidate"}
"""Places that are filled from a file, and cleaned as they are read."""
CROPPED = 1000
"""What is longer is shown in parts."""
LONGEST = 30
"""A payload up to this length is printed whole wherever it stands, but for values in the names of many numbers; of a
longer one, the mark behind it is."""

CONTROLS = "[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]"


@pytest.fixture(scope="session")
def anatomy(found):
    """Report → elements and text, before any script."""
    return {name: found(name)["without"] for name in (*HARMLESS, *PLACES)}


def shapes(anatomy):
    return {(tag, name) for tag, attributes in anatomy["elements"] for name in ("", *attributes)}


@pytest.mark.parametrize("name", PLACES)
def test_no_element_or_attribute_is_there_that_harmless_reports_do_not_have(anatomy, name):
    harmless = set().union(*(shapes(anatomy[other]) for other in HARMLESS))
    assert shapes(anatomy[name]) - harmless == set()


@pytest.mark.parametrize("name", PLACES)
def test_the_frame_of_the_page_is_that_of_any_other(anatomy, name):
    found, usual = (Counter(tag for tag, _ in anatomy[n]["elements"]) for n in (name, "classifier"))
    for tag in ("html", "head", "body", "main", "h1", "meta", "style"):
        assert found[tag] == usual[tag]
    assert found["script"] <= usual["script"]


@pytest.mark.parametrize("name", PLACES)
def test_addresses_lead_nowhere_but_into_the_page_and_classes_are_ours(anatomy, name):
    for tag, attributes in anatomy[name]["elements"]:
        for key in ("href", "src", "action", "data", "xlink:href"):
            value = attributes.get(key, "#")
            assert value.startswith("#") or re.fullmatch(r"data:image/(svg\+xml|png);base64,[\w+/=]+", value), (
                tag,
                value,
            )
        assert re.fullmatch(r"[\w \-]*", attributes.get("class", ""))


@pytest.mark.parametrize("name", PLACES)
def test_no_character_reorders_or_breaks_the_page(report, name):
    assert not re.search(CONTROLS, report(name).html.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "place"), [(name, place) for name, places in PLACES.items() for place in places])
def test_every_payload_is_printed_where_it_belongs(anatomy, name, place):
    text = " ".join(anatomy[name]["text"].split())
    assert [string for string in expected(place) if not any(form in text for form in printed(string))] == []


def printed(string):
    """As it stands on one line; an excerpt takes the separators among the controls for white space."""
    return " ".join(formats.visible(string).split()), formats.visible(" ".join(string.split()))


def expected(place):
    """What must be read for each payload of a place."""
    if place in JOINED:
        return [f"{place}{number:02}" for number in range(COLUMNS)]
    strings = map(plain, STRINGS) if place in READ else UTF8
    return [
        f"{string if len(string) <= LONGEST and place != 'value' else ''} {place}{number:02}"
        for number, string in enumerate(strings)
        if len(string) < CROPPED and (string.strip() or place not in ("text", "prompt"))
    ]
