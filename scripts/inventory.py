"""What is installed, as a bill of materials (CycloneDX 1.6, JSON) and a table of licences. Fails where a licence is not
known, or forbids what Apache-2.0 allows.

python -m scripts.inventory sbom.json licences.md
"""

import json
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import Any

OWN = ("vasari", "vasari-client")
UNKNOWN = "unknown"
CLASSIFIER = "License :: "
REFUSED = ("AGPL", "AFFERO", "PROPRIETARY")  # copyleft over a network, or no rights at all


def licence(about: PackageMetadata, file: str = "") -> str:
    """As the package declares it: an SPDX expression, else its classifiers, else the first line of its text, else that
    of the ``file`` that it ships."""
    if expression := about.get("License-Expression"):
        return expression
    named = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith(CLASSIFIER)]
    if named := [one for one in named if one != "OSI Approved"]:
        return " AND ".join(named)
    text = (about.get("License") or file).strip().splitlines()
    return text[0][:80] if text else UNKNOWN


def shipped(found: Distribution) -> str:
    """The text of the first licence that a package brings; "" if it brings none."""
    files = [file for file in found.files or () if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))]
    return files[0].read_text("utf-8") if files and Path(str(files[0].locate())).is_file() else ""


def component(found: Distribution) -> dict[str, Any]:
    name, version = found.metadata["Name"], found.version
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name.lower().replace('_', '-')}@{version}",
        "licenses": [{"license": {"name": licence(found.metadata, shipped(found))}}],
    }


def bill(found: Iterable[Distribution]) -> dict[str, Any]:
    """CycloneDX of all distributions but our own, by name."""
    others = {one.metadata["Name"].lower(): one for one in found if one.metadata["Name"].lower() not in OWN}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {"type": "application", "bom-ref": "vasari", "name": "vasari"},
        },
        "components": [component(others[name]) for name in sorted(others)],
    }


def refused(components: Iterable[dict[str, Any]]) -> list[str]:
    """Components whose licence is not known, or one of `REFUSED`."""
    named = [(one["bom-ref"], one["licenses"][0]["license"]["name"]) for one in components]
    return [f"{ref}: {name}" for ref, name in named if name == UNKNOWN or any(no in name.upper() for no in REFUSED)]


def table(components: Iterable[dict[str, Any]]) -> str:
    rows = [f"| {one['name']} | {one['version']} | {one['licenses'][0]['license']['name']} |" for one in components]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows, ""])


def main(sbom: Path, licences: Path) -> int:
    made = bill(distributions())
    sbom.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    licences.write_text(table(made["components"]), "utf-8")
    wrong = refused(made["components"])
    print("\n".join(wrong) or f"{len(made['components'])} packages, all of known licences.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
