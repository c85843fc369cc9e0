"""Secret keys of a development checkout: made once, kept in a file that only its owner can read."""

import os
import secrets
from pathlib import Path


def checkout_key(path: Path) -> str:
    """The key in ``path``; a new one is put there if there is none yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: of two processes that start together both get the same, whole key.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(64))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
