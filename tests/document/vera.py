"""veraPDF on any number of files and profiles, in one Java machine: `python vera.py JARS PROFILES FILE…` prints JSON.

It runs in a process of its own: a Java machine cannot be restarted, and it takes over signals. What is printed is
file → profile → the failed rules with their counts; nothing under a profile means that the file conforms.
"""

import json
import sys
from collections import Counter
from typing import Any

import jpype

FLAVOURS = {"ua1": "PDFUA-1", "3a": "PDFA-3A"}
# Compiling Java's code twice over and collecting in parallel costs more than these files.
OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")


def main(jars: str, flavours: str, *files: str) -> None:
    """Validate every file against every profile."""
    jpype.startJVM(*OPTIONS, classpath=jars.split(":"))
    jpype.JClass("java.util.logging.LogManager").getLogManager().reset()
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    found = {file: {flavour: faults(file, flavour) for flavour in flavours.split(",")} for file in files}
    json.dump(found, sys.stdout)


def faults(file: str, flavour: str) -> dict[str, int]:
    """The failed rules of one profile, by number and words."""
    foundry = jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()
    stream = jpype.JClass("java.io.FileInputStream")(file)
    parser = foundry.createParser(stream, jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour").fromString(flavour))
    try:
        result = foundry.createValidator(profile(flavour), False).validate(parser)
    finally:
        parser.close()
    assert result.getTotalAssertions() > 0, f"{file}: veraPDF looked at nothing"
    failed = Counter(f"{a.getRuleId().getClause()}: {a.getMessage()}" for a in result.getTestAssertions())
    return dict(failed) or ({} if result.isCompliant() else {"not compliant": 1})


def profile(flavour: str) -> Any:
    """The rules of a profile, as they lie in veraPDF's archive."""
    profiles = jpype.JClass("org.verapdf.pdfa.validation.profiles.Profiles")
    name = f"/org/verapdf/pdfa/validation/{FLAVOURS[flavour]}.xml"
    return profiles.profileFromXml(profiles.class_.getResourceAsStream(name))


if __name__ == "__main__":
    main(*sys.argv[1:])
