"""What PDF/UA-1 asks for and WeasyPrint 70 leaves open, closed on the finished object tree.

XMP            the identifier of PDF/UA part 1, with the extension schema that PDF/A demands of it
TH             every header cell says whether it heads a column or a row
page furniture running heads and page numbers leave the structure tree and become artifacts
images         /Interpolate is forbidden by PDF/A

Then every object is written out, once: pydyf would serialise and compress all of them for the file and again for the
hash that identifies it.
"""

from typing import Any

_UA_XMP = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>PDF/UA part</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>"""

_Objects = dict[int, Any]


def claim_accessibility(document: Any) -> None:
    """Let a WeasyPrint document state in its metadata that it is PDF/UA-1."""
    metadata = document.metadata
    generate = metadata.generate_rdf_metadata

    def with_identifier(*args: Any, **kwargs: Any) -> bytes:
        return bytes(generate(*args, **kwargs)).replace(b"</rdf:RDF>", _UA_XMP)

    metadata.generate_rdf_metadata = with_identifier


def finish(document: Any, pdf: Any) -> None:  # noqa: ARG001
    """WeasyPrint's finisher hook: amend the objects of a PDF before they are written."""
    objects: _Objects = {item.number: item for item in pdf.objects if hasattr(item, "number")}
    _forbid_interpolation(objects)
    _scope_headers(objects)
    reached = _reached(objects)
    _make_artifacts(objects, _orphans(objects, reached))
    _write_once(pdf)


def _forbid_interpolation(objects: _Objects) -> None:
    for item in objects.values():
        extra = getattr(item, "extra", None)
        if isinstance(extra, dict) and extra.get("Subtype") == "/Image" and "Interpolate" in extra:
            extra["Interpolate"] = "false"


def _scope_headers(objects: _Objects) -> None:
    for item in objects.values():
        if isinstance(item, dict) and item.get("S") == "/TH":
            group = _follow(objects, _follow(objects, item["P"])["P"])
            item["A"]["Scope"] = "/Column" if group.get("S") == "/THead" else "/Row"


def _reached(objects: _Objects) -> set[int]:
    """Numbers of the structure elements that hang on the tree."""
    root = next(o for o in objects.values() if isinstance(o, dict) and o.get("Type") == "/StructTreeRoot")
    reached: set[int] = set()
    waiting = [_number(root["K"][0])]
    while waiting:
        number = waiting.pop()
        reached.add(number)
        for kid in objects[number].get("K") or ():
            if isinstance(kid, str | bytes) and _is_element(objects[_number(kid)]) and _number(kid) not in reached:
                waiting.append(_number(kid))
    return reached


def _orphans(objects: _Objects, reached: set[int]) -> dict[int, set[int]]:
    """Page object → marked content of structure elements that hang on nothing: the page furniture."""
    orphans: dict[int, set[int]] = {}
    for number, item in objects.items():
        if _is_element(item) and number not in reached:
            marked = {kid for kid in item["K"] if isinstance(kid, int)}
            orphans.setdefault(_number(item["Pg"]), set()).update(marked)
    return orphans


def _make_artifacts(objects: _Objects, orphans: dict[int, set[int]]) -> None:
    for page, marked in orphans.items():
        stream = _follow(objects, objects[page]["Contents"]).stream
        for place, operator in enumerate(stream):
            properties = stream[place - 1]
            if operator == b"BDC" and isinstance(properties, dict) and properties.get("MCID") in marked:
                stream[place - 2], stream[place - 1] = b"/Artifact", b"<</Type/Pagination>>"


class _Written:
    """A PDF object as its bytes."""

    def __init__(self, item: Any) -> None:
        self.data: bytes = item.data
        self.number, self.generation, self.free = item.number, item.generation, item.free
        self.compressible: bool = item.compressible
        self.reference: bytes = item.reference
        self.offset = 0

    @property
    def indirect(self) -> bytes:
        """The object as it stands in the file outside of an object stream."""
        return b"%d %d obj\n%b\nendobj" % (self.number, self.generation, self.data)


def _write_once(pdf: Any) -> None:
    pdf.objects[:] = [item if item.free == "f" else _Written(item) for item in pdf.objects]


def _is_element(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/StructElem"


def _number(reference: str | bytes) -> int:
    text = reference.decode("ascii") if isinstance(reference, bytes) else reference
    return int(text.split()[0])


def _follow(objects: _Objects, reference: Any) -> Any:
    return objects[_number(reference)] if isinstance(reference, str | bytes) else reference
