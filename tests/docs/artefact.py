"""What a built binary needs from its platform."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# The exception class of Rust's unwinding panics; a binary that aborts does not contain it.
_UNWINDING_EXCEPTION_CLASS = b"MOZ\0RUST"


@dataclass(frozen=True)
class Artefact:
    path: Path
    machine: str
    libraries: frozenset[str]
    glibc: tuple[int, ...]
    zipped: int
    unwinds: bool

    @staticmethod
    def read(path: Path) -> Artefact:
        code = path.read_bytes()
        elf = ELFFile(io.BytesIO(code))
        unwinds = _UNWINDING_EXCEPTION_CLASS in code
        return Artefact(path, elf["e_machine"], _libraries(elf), max(_versions(elf)), _zipped(code), unwinds)


def _libraries(elf: ELFFile) -> frozenset[str]:
    dynamic = elf.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    # pyelftools adds the attribute at run time.
    return frozenset(tag.needed for tag in dynamic.iter_tags("DT_NEEDED"))  # type: ignore[attr-defined]


def _versions(elf: ELFFile) -> list[tuple[int, ...]]:
    """Returns the versions of glibc's symbols, such as GLIBC_2.34."""
    needed = elf.get_section_by_name(".gnu.version_r")
    assert isinstance(needed, GNUVerNeedSection)
    names = [version.name for _, versions in needed.iter_versions() for version in versions]
    found = [tuple(map(int, match[1].split("."))) for name in names if (match := re.fullmatch(r"GLIBC_([\d.]+)", name))]
    assert found, f"no glibc version in {names}"
    return found


def _zipped(code: bytes) -> int:
    """Returns the size of the zip that `sam deploy` would make."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bootstrap", code)
    return len(packed.getvalue())
