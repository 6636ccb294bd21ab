"""Where the files that travel with the program are: prompts, configs and the web client."""

from pathlib import Path


def folder(name: str) -> Path:
    """``"prompts"``, ``"configs"`` or ``"clients/web"`` -> its folder, installed as a wheel or in the source tree.

    Raises FileNotFoundError when the installation is incomplete.
    """
    package = Path(__file__).parent
    for base in (package / "data", package.parent):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(
        f"{name}/ is missing beside {package}: the installation is incomplete, install vasari again"
    )
