"""The bill of materials names all that is installed, and refuses what cannot be shipped."""

import email.message
from importlib.metadata import distributions

import pytest

from scripts.inventory import UNKNOWN, bill, licence, refused


def about(**fields: str) -> email.message.Message:
    found = email.message.Message()
    for name, value in fields.items():
        found[name.replace("_", "-")] = value
    return found


def test_everything_installed_is_named_once_and_ours_is_not() -> None:
    made = bill(distributions())
    names = [one["name"].lower() for one in made["components"]]
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert len(set(names)) == len(names) > 50 and "numpy" in names and "vasari" not in names
    assert all(one["purl"].startswith("pkg:pypi/") and one["version"] for one in made["components"])


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"License_Expression": "MIT", "License": "something else"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License", "License": "long text"}, "BSD License"),
        ({"Classifier": "License :: OSI Approved", "License": "Apache-2.0\nwith more"}, "Apache-2.0"),
        ({}, UNKNOWN),
    ],
)
def test_a_licence_is_what_a_package_declares(fields: dict[str, str], name: str) -> None:
    assert licence(about(**fields)) == name  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "wrong"), [("MIT", 0), (UNKNOWN, 1), ("GNU Affero GPL v3", 1), ("AGPL-3.0", 1)])
def test_what_cannot_be_shipped_is_refused(name: str, wrong: int) -> None:
    assert len(refused([{"bom-ref": "x@1", "licenses": [{"license": {"name": name}}]}])) == wrong
