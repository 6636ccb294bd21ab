"""Finds the data files of the program: prompts, configs and the web client."""

from pathlib import Path


def folder(name: str) -> Path:
    """The folder ``name`` (``"prompts"``, ``"configs"`` or ``"clients/web"``), in an installed wheel or a source tree.

    Raises FileNotFoundError when the installation is incomplete.
    """
    package = Path(__file__).parent
    for base in (package / "data", package.parent):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(
        f"{name}/ is missing beside {package}: the installation is incomplete, install vasari again"
    )
