"""Archives and checksums that depend on nothing but the files in them: fixed times, owners and order."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

SUMS = "SHA256SUMS"
# The earliest time that a zip can hold.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_TAR_TIME = 315_532_800
_UNIX = 3
_EXECUTABLE, _READABLE = 0o755, 0o644


def zipped(bootstrap: bytes) -> bytes:
    """Returns the package for Lambda: the binary under the name that Lambda starts."""
    entry = zipfile.ZipInfo("bootstrap", _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    # The same zip from any operating system.
    entry.create_system = _UNIX
    entry.external_attr = _EXECUTABLE << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, bootstrap, compresslevel=9)
    return packed.getvalue()


def tarred(programs: dict[str, bytes], texts: dict[str, bytes]) -> bytes:
    """Returns a .tar.gz of programs, which are executable, and of texts, by their names in it."""
    modes = {**dict.fromkeys(programs, _EXECUTABLE), **dict.fromkeys(texts, _READABLE)}
    files = {**programs, **texts}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = modes[name]
            entry.mtime = _TAR_TIME
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)


def write_sums(folder: Path) -> None:
    """Writes the checksums of all files in the folder, as `sha256sum --check` reads them."""
    files = sorted(file for file in folder.iterdir() if file.name != SUMS)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / SUMS).write_text("".join(lines))
