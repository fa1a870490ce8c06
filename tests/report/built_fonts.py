"""Fonts made for the tests: every character is a box, so that what is drawn is known."""

import io

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

HANGUL = "한국어영화"


def _box(pen):
    pen.moveTo((100, 0))
    pen.lineTo((100, 700))
    pen.lineTo((800, 700))
    pen.lineTo((800, 0))
    pen.closePath()


def font(text=HANGUL, family="Box Hangul", *, cff=False, variable=False, weight=400, flavor=None, fs_type=0):
    """The bytes of a font that has a space and the characters of a text."""
    names = {0x20: "space", **{ord(character): f"uni{ord(character):04X}" for character in text}}
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=not cff)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    if cff:
        builder.setupCFF(family.replace(" ", ""), {}, {name: _charstring(name) for name in order}, {})
    else:
        builder.setupGlyf({name: _glyph(name) for name in order})
    builder.setupHorizontalMetrics(dict.fromkeys(order, (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWeightClass=weight, fsType=fs_type)
    builder.setupPost()
    if variable:
        builder.setupFvar([("wght", 100, 400, 900, "Weight")], [])
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    builder.font.flavor = flavor
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def _glyph(name):
    pen = TTGlyphPen(None)
    if name != "space":
        _box(pen)
    return pen.glyph()


def _charstring(name):
    pen = T2CharStringPen(900, None)
    if name != "space":
        _box(pen)
    return pen.getCharString()
