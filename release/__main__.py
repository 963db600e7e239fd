"""Builds what a release page holds into one folder: `make release`.

    python -m release [--packages] [--architecture ARCHITECTURE]... [FOLDER]

`--packages` leaves it at the packages for Lambda and the template; the tools that list licences are then not needed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from pathlib import Path

from . import archives, listings
from .build import FUNCTION, TARGETS, TOOLS, Builder
from .problem import Problem
from .template import package_name, packaged

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "target" / "release-build"
FOLDER = ROOT / "target" / "release-files"
LICENSE = "LICENSE"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__.splitlines()[0])
    parser.add_argument("--packages", action="store_true", help="only the packages for Lambda, template and checksums")
    parser.add_argument("--architecture", action="append", choices=list(TARGETS), help="only this one; may be repeated")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="is emptied first")
    given = parser.parse_args()
    architectures = given.architecture or list(TARGETS)
    try:
        builder = Builder(ROOT, BUILT)
        write_packages(given.folder, {name: builder.function(name) for name in architectures})
        if not given.packages:
            _write_tools(given.folder, builder, architectures)
            _write_listings(given.folder)
        archives.write_sums(given.folder)
    except Problem as problem:
        print(f"make release: {problem}", file=sys.stderr)
        return 1
    for file in sorted(given.folder.iterdir()):
        print(f"{file.stat().st_size / 2**20:6.2f} MiB  {file}")
    return 0


def version() -> str:
    """Returns the version of everything in this checkout."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    return str(manifest["workspace"]["package"]["version"])


def write_packages(folder: Path, binaries: dict[str, Path]) -> None:
    """Writes the packages for Lambda, by architecture, and the template that names them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for architecture, binary in binaries.items():
        (folder / package_name(version(), architecture)).write_bytes(archives.zipped(binary.read_bytes()))
    (folder / "template.yaml").write_text(packaged((ROOT / "template.yaml").read_text(), version()))


def _write_tools(folder: Path, builder: Builder, architectures: list[str]) -> None:
    texts = {listings.licences_name(tool): listings.licences(ROOT, tool).encode() for tool in TOOLS}
    texts[LICENSE] = (ROOT / LICENSE).read_bytes()
    for architecture in architectures:
        programs = {name: binary.read_bytes() for name, binary in builder.tools(architecture).items()}
        name = f"{FUNCTION}-tools-{version()}-linux-{architecture}.tar.gz"
        (folder / name).write_bytes(archives.tarred(programs, texts))


def _write_listings(folder: Path) -> None:
    shutil.copyfile(ROOT / LICENSE, folder / LICENSE)
    (folder / listings.licences_name(FUNCTION)).write_text(listings.licences(ROOT, FUNCTION))
    for program in (FUNCTION, *TOOLS):
        (folder / f"{program}-{version()}.cdx.json").write_text(listings.components(ROOT, program))


if __name__ == "__main__":
    sys.exit(main())
