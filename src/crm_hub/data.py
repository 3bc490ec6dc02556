"""Where the hub's own data lies: in the checkout while developing, in the wheel once installed.

Comes before everything that reads mappings, the connector template or the demo firm.
"""

from __future__ import annotations

from pathlib import Path

_IN_CHECKOUT = {
    "mappings": "mappings",
    "connector_template": "connectors/_template",
    "clearwater": "examples/clearwater",
}


def data_folder(name: str) -> Path:
    """Return the folder of the hub's own data called `name`.

    Names: mappings, connector_template, clearwater. An editable install reads the checkout, so
    an edit counts at once; a wheel carries the same folders under crm_hub/_data.
    Raises: ValueError for another name, FileNotFoundError when the installation is incomplete.
    """
    if name not in _IN_CHECKOUT:
        raise ValueError(f"no data folder {name!r}; there are: {', '.join(_IN_CHECKOUT)}")
    package = Path(__file__).resolve().parent
    folder = _checkout_folder(package, name) or package / "_data" / name
    if not folder.is_dir():
        raise FileNotFoundError(f"crm_hub is installed incompletely: {folder} is missing")
    return folder


def _checkout_folder(package: Path, name: str) -> Path | None:
    root = package.parents[1]
    in_checkout = package.parent.name == "src" and (root / "pyproject.toml").is_file()
    return root / _IN_CHECKOUT[name] if in_checkout else None
