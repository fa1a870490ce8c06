"""Adds to a finished PDF what PDF/UA-1 and PDF/A require and WeasyPrint 70 lacks.

XMP             the identifier of PDF/UA part 1, with the extension schema that PDF/A requires for it
TH              every header cell gets the scope /Column or /Row
running text    page headers, footers and numbers are marked as artifacts, outside of the structure tree
images          /Interpolate, which PDF/A forbids, is switched off

Then every object is serialised once: pydyf would serialise and compress all of them for the file, and again for the
hash that identifies it. What is attached of the finished pages themselves is filled in last.
"""

import copy
import io
from collections.abc import Callable, Mapping
from hashlib import md5
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
NOTHING: Mapping[str, Callable[[bytes], bytes]] = {}


def claim_accessibility(document: Any) -> None:
    """Make a WeasyPrint document state in its metadata that it is PDF/UA-1."""
    metadata = document.metadata
    generate = metadata.generate_rdf_metadata

    def with_identifier(*args: Any, **kwargs: Any) -> bytes:
        return bytes(generate(*args, **kwargs)).replace(b"</rdf:RDF>", _UA_XMP)

    metadata.generate_rdf_metadata = with_identifier


def finish(document: Any, pdf: Any, *, late: Mapping[str, Callable[[bytes], bytes]] = NOTHING) -> None:  # noqa: ARG001
    """Amend the objects of a PDF before they are written; called by WeasyPrint as its `finisher`.

    Args:
        document: Of WeasyPrint.
        pdf: Of pydyf.
        late: Name of an attachment → its content, made of the whole PDF in which it is still empty.
    """
    objects: _Objects = {item.number: item for item in pdf.objects if hasattr(item, "number")}
    _forbid_interpolation(objects)
    _scope_headers(objects)
    _make_artifacts(objects, _orphans(objects, _reachable(objects)))
    _serialise_once(pdf)
    for name, make in late.items():
        _fill(pdf, _stream(objects, name), make(_whole(pdf)))


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


def _reachable(objects: _Objects) -> set[int]:
    """Object numbers of the structure elements that can be reached from the root of the structure tree."""
    root = next(o for o in objects.values() if isinstance(o, dict) and o.get("Type") == "/StructTreeRoot")
    reachable: set[int] = set()
    stack = [_number(root["K"][0])]
    while stack:
        number = stack.pop()
        reachable.add(number)
        for kid in objects[number].get("K") or ():
            if isinstance(kid, str | bytes) and _is_element(objects[_number(kid)]) and _number(kid) not in reachable:
                stack.append(_number(kid))
    return reachable


def _orphans(objects: _Objects, reachable: set[int]) -> dict[int, set[int]]:
    """Page → ids of marked content whose structure elements are unreachable: its headers and footers."""
    orphans: dict[int, set[int]] = {}
    for number, item in objects.items():
        if _is_element(item) and number not in reachable:
            marked = {kid for kid in item["K"] if isinstance(kid, int)}
            orphans.setdefault(_number(item["Pg"]), set()).update(marked)
    return orphans


def _make_artifacts(objects: _Objects, orphans: dict[int, set[int]]) -> None:
    """Mark this content as pagination artifacts in the content streams of its pages."""
    for page, marked in orphans.items():
        stream = _follow(objects, objects[page]["Contents"]).stream
        for i, operator in enumerate(stream):
            properties = stream[i - 1]
            if operator == b"BDC" and isinstance(properties, dict) and properties.get("MCID") in marked:
                stream[i - 2], stream[i - 1] = b"/Artifact", b"<</Type/Pagination>>"


class _Serialised:
    """A PDF object with its bytes, in the interface of a pydyf object."""

    def __init__(self, item: Any) -> None:
        self.data: bytes = item.data
        self.number, self.generation, self.free = item.number, item.generation, item.free
        self.compressible: bool = item.compressible
        self.reference: bytes = item.reference
        self.offset = 0

    @property
    def indirect(self) -> bytes:
        """The object as written outside of an object stream."""
        return b"%d %d obj\n%b\nendobj" % (self.number, self.generation, self.data)


def _whole(pdf: Any) -> bytes:
    """The PDF as it would be written now; writing adds objects, to a copy of the list."""
    draft, content = copy.copy(pdf), io.BytesIO()
    draft.objects = list(pdf.objects)
    draft.write(content)
    return content.getvalue()


def _stream(objects: _Objects, name: str) -> Any:
    """The content of an attachment."""
    file = next(item for item in objects.values() if _is_file(item) and item["UF"].string == name)
    return _follow(objects, file["EF"]["F"])


def _fill(pdf: Any, stream: Any, content: bytes) -> None:
    """Replaces the content of an attachment."""
    stream.stream = [content]
    checksum = md5(content, usedforsecurity=False).hexdigest()
    stream.extra["Params"] |= {"Size": len(content), "CheckSum": f"<{checksum}>"}
    pdf.objects[stream.number] = _Serialised(stream)


def _is_file(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/Filespec"


def _serialise_once(pdf: Any) -> None:
    pdf.objects[:] = [item if item.free == "f" else _Serialised(item) for item in pdf.objects]


def _is_element(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/StructElem"


def _number(reference: str | bytes) -> int:
    """The object number in an indirect reference: 12 of `12 0 R`."""
    text = reference.decode("ascii") if isinstance(reference, bytes) else reference
    return int(text.split()[0])


def _follow(objects: _Objects, reference: Any) -> Any:
    """The object of an indirect reference; any other value unchanged."""
    return objects[_number(reference)] if isinstance(reference, str | bytes) else reference
