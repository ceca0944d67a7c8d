# SPDX-License-Identifier: EUPL-1.2
"""Files named on the command line, read whole, or refused in one sentence."""

import sys
from pathlib import Path
from typing import BinaryIO

from hub.cli.options import Refusal


def read_bytes(name: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``. Raises `Refusal`."""
    if name == "-":
        return sys.stdin.buffer.read()
    with open_bytes(Path(name)) as file:
        return file.read()


def read_text(path: Path) -> str:
    """A UTF-8 text, with or without a byte order mark. Raises `Refusal`."""
    try:
        return read_bytes(str(path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(f"{path} is not UTF-8 text (byte {error.start}).") from None


def open_bytes(path: Path) -> BinaryIO:
    """An open file. Raises `Refusal`."""
    try:
        return path.open("rb")
    except OSError as refused:
        raise Refusal(f"{path} cannot be read: {refused.strerror}.") from None
