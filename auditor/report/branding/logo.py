"""Reads a logo as a `data:` URL; it must be a small PNG or JPEG in colours that PDF/A allows."""

import base64
import io
from pathlib import Path

from auditor.errors import RenderError

MOST_BYTES = 262_144
MOST_PIXELS = 4_000_000
_FORMATS = {b"\x89PNG\r\n\x1a\n": ("PNG", "image/png"), b"\xff\xd8\xff": ("JPEG", "image/jpeg")}
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def read(path: Path) -> str:
    """The file as a `data:` URL.

    Raises:
        RenderError: it is missing, too large, no PNG or JPEG, damaged, or neither grey nor RGB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise RenderError(f"{path}: the logo cannot be read: {fault.strerror}") from None
    if len(data) > MOST_BYTES:
        raise RenderError(f"{path}: expected a logo of at most {MOST_BYTES // 1024} KB")
    image_format, mime = next((names for magic, names in _FORMATS.items() if data.startswith(magic)), ("", ""))
    if not image_format:
        raise RenderError(f"{path}: expected a PNG or a JPEG by its content, found something else")
    _require_sound(path, data, image_format)
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _require_sound(path: Path, data: bytes, image_format: str) -> None:
    """Check size, mode and data of an image.

    Raises:
        RenderError: it is damaged, has too many pixels, or another mode.
    """
    from PIL import Image, ImageFile, UnidentifiedImageError  # which takes a while to import

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint switches it on for the whole process
    try:
        with Image.open(io.BytesIO(data), formats=[image_format]) as image:
            size, mode = image.size, image.mode
            if size[0] * size[1] <= MOST_PIXELS:
                image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        why = "no picture can be read from it" if isinstance(fault, UnidentifiedImageError) else str(fault)
        raise RenderError(f"{path}: the logo is damaged: {why}") from None
    if size[0] * size[1] > MOST_PIXELS:
        raise RenderError(f"{path}: expected a logo of at most {MOST_PIXELS:,} pixels, found {size[0]} × {size[1]}")
    if mode not in _MODES:
        raise RenderError(f"{path}: expected a logo in RGB or grey, found {mode}; convert it to RGB")
