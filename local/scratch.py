"""The folder for one run's logs and state. Each run has its own, so that several can run at the same time."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .problem import Refused


@contextmanager
def scratch_folder(root: Path, wanted: Path | None = None) -> Iterator[Path]:
    """A new folder in .local, removed afterwards unless an error needs its logs; or `wanted`, which is kept."""
    if wanted:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted.resolve()
        return
    parent = root / ".local"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent))
    try:
        yield folder
    except Refused:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except Exception:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
