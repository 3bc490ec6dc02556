"""What people install works: sdist → wheel → fresh environment, and the live editable install.

The build backend is the one of the environment that runs the tests; nothing is downloaded.
"""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "dist", "build", "demo-hub", "tests", "docs")

LIST = """
import sys
from crm_hub.data import data_folder
from crm_hub.registry import Registry
print(*(f"{e.name}={'ok' if e.connector else e.error}" for e in Registry().list()))
print(*sorted(p.name for p in data_folder("mappings").glob("*.yaml")))
print(data_folder("connector_template") / "connector.py")
print(data_folder("clearwater"))
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fresh_environment(folder: Path) -> Path:
    """Return the Python of a new environment that sees this one's packages, but not the hub's.

    The .pth comes last on its path, so what is installed there wins; the checkout that this
    environment may have installed editable is not carried over, because .pth files do not nest.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    packages = [
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        *site.getsitepackages(),
    ]
    inside = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (inside / "zz_borrowed.pth").write_text("\n".join(dict.fromkeys(packages)) + "\n")
    return folder / "bin" / "python"


def pip_install(python: Path, *what: object, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
        "--no-build-isolation", "--ignore-installed", *what, cwd=cwd)  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: building must not write into the checkout, and gets a file that must stay out."""
    copy = tmp_path_factory.mktemp("package") / "checkout"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    shutil.copy(ROOT / ".gitignore", copy)
    shutil.copytree(ROOT / "connectors", copy / "connectors", dirs_exist_ok=True)
    return copy


@pytest.fixture(scope="module")
def built(checkout: Path) -> Path:
    """The folder of the sdist and of the wheel that was built from it."""
    run(sys.executable, "-m", "build", "--no-isolation", "-o", "out", ".", cwd=checkout)
    return checkout / "out"


@pytest.fixture(scope="module")
def wheel_names(built: Path) -> list[str]:
    return zipfile.ZipFile(next(built.glob("*.whl"))).namelist()


def test_the_wheel_built_from_the_sdist_lists_connectors_and_mappings(
    built: Path, tmp_path: Path
) -> None:
    python = fresh_environment(tmp_path / "env")
    pip_install(python, next(built.glob("*.whl")), cwd=tmp_path)
    connectors, mappings, template, clearwater = run(python, "-c", LIST, cwd=tmp_path).splitlines()
    for name in ("files", "google_ads", "meta_ads", "web_form"):
        assert f"{name}=ok" in connectors.split()
        assert f"{name}.yaml" in mappings.split()
    for place in (template, clearwater):
        assert Path(place).exists()
        assert (tmp_path / "env") in Path(place).parents


def test_a_new_connector_can_be_made_from_the_wheel_alone(built: Path, tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "env")
    pip_install(python, next(built.glob("*.whl")), cwd=tmp_path)
    program = (
        "from pathlib import Path; from crm_hub.scaffold import new_connector\n"
        "from crm_hub.registry import Registry\n"
        "new_connector('acme', Path('mine'))\n"
        "print(Registry([Path('mine')]).get('acme').connector.__name__)"
    )
    assert run(python, "-c", program, cwd=tmp_path) == "AcmeConnector\n"


def test_no_tests_fixtures_or_leftovers_are_in_the_wheel(wheel_names: list[str]) -> None:
    template = "crm_hub/_data/connector_template/"
    code = [name for name in wheel_names if not name.startswith(template)]
    assert [n for n in code if {"tests", "fixtures", "__pycache__"} & set(n.split("/"))] == []
    assert any(name.startswith(template + "tests/") for name in wheel_names)
    assert "crm_hub/py.typed" in wheel_names
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "crm_hub",
        "crm_hub_connectors",
    }


def test_the_wheel_carries_the_licence_and_no_secret_files(wheel_names: list[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)
    assert [n for n in wheel_names if n.endswith((".key", ".sealed", ".db", ".pyc"))] == []


def test_the_sdist_holds_what_a_build_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"pyproject.toml", "LICENSE", "src/crm_hub/py.typed", "connectors/_template/README.md"}
    assert needed <= names
    assert not any(name.startswith((".venv", "out/")) for name in names)


def test_an_editable_install_finds_a_new_folder_without_reinstall(
    checkout: Path, tmp_path: Path
) -> None:
    python = fresh_environment(tmp_path / "env")
    pip_install(python, "-e", checkout, cwd=tmp_path)
    new = checkout / "connectors" / "crm_hub_connectors" / "brand_new"
    program = (
        "from pathlib import Path; from crm_hub.scaffold import new_connector\n"
        f"new_connector('brand_new', Path({str(new.parent)!r}))"
    )
    try:
        run(python, "-c", program, cwd=tmp_path)
        connectors, *_, clearwater = run(python, "-c", LIST, cwd=tmp_path).splitlines()
    finally:
        shutil.rmtree(new, ignore_errors=True)
    assert "brand_new=ok" in connectors.split()
    assert Path(clearwater) == checkout / "examples" / "clearwater"
