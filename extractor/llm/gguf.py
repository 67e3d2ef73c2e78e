"""What the header of a GGUF model file says: the model's size, its context, and what its memory of a text costs.

In: a file. Out: `Gguf`, or a sentence about what is wrong with the file. Floor: llm.
Before changing it: it reads the header and a few samples, never the weights, so that a 40 GB file costs as little as a small one. The
format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import hashlib
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from extractor.errors import SettingsError

_MAGIC = b"GGUF"
_FORMATS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}  # GGUF's numbers for struct's letters
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 26  # entries of a metadata array, bytes of a text: a longer one is damage, and must not be read for hours
_KEPT = 4096  # array entries that are looked at (one a layer); vocabularies have more and are skipped
_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16  # 4 MiB over the whole file: two fine-tunings of one model differ everywhere, at equal size
_F16_BYTES = 2  # llama.cpp keeps keys and values in half precision
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


class Gguf(NamedTuple):
    """One model file, or one in several parts of which this is the first."""

    path: Path
    """The file, or the first part."""
    identity: str
    """File name and a hash of size and samples, such as `qwen3-8b-q4_k_m.gguf@0f3c9a1b22de`; stable, and never the path."""
    size_bytes: int
    """Of all parts."""
    context_tokens: int | None
    """The longest text that the model was trained on; None when the file does not say."""
    token_bytes: int
    """Memory that one token of context takes, in half precision; 0 when the file does not say."""


def read_gguf(path: Path) -> Gguf:
    """What a model file says about itself.

    Raises:
        SettingsError: There is no such file, it is none of llama.cpp's, it is damaged, or one of its parts is missing.
    """
    try:
        with path.open("rb") as file:
            if (magic := file.read(len(_MAGIC))) != _MAGIC:
                raise SettingsError(
                    f"{str(path)!r} is no GGUF model file: it begins with {magic!r}, not with {_MAGIC!r}. "
                    "llama.cpp reads GGUF; most open models are published in it, too."
                )
            header = _header(file)
        parts = _parts(path)
        sizes = [part.stat().st_size for part in parts]
        sampled = hashlib.blake2b(repr(sizes).encode(), digest_size=6)
        for part, size in zip(parts, sizes, strict=True):
            _sample(part, size, sampled)
    except FileNotFoundError as missing:
        raise SettingsError(
            f"No model file {str(missing.filename)!r}; expected a file in GGUF, such as models/qwen3-8b-q4_k_m.gguf."
        ) from None
    except IsADirectoryError:
        found = sorted(file.name for file in path.glob("*.gguf"))
        raise SettingsError(f"{str(path)!r} is a folder; name the model file in it{': ' + found[0] if found else ''}.") from None
    except OSError as error:
        raise SettingsError(f"Model file {str(path)!r} cannot be read: {error.strerror or error}.") from error
    except (struct.error, ValueError, OverflowError):
        raise SettingsError(f"Model file {str(path)!r} is damaged: its header cannot be read. Was it downloaded whole?") from None
    architecture = header.get("general.architecture", "")
    about = {key.removeprefix(f"{architecture}."): value for key, value in header.items()}
    return Gguf(path, f"{path.name}@{sampled.hexdigest()}", sum(sizes), _whole(about, "context_length"), _token_bytes(about))


def _header(file: BinaryIO) -> dict[str, Any]:
    """The metadata; texts and short arrays of numbers as they are, everything longer left out."""
    version, _, count = _unpack(file, "IQQ")
    if version not in (2, 3):
        raise ValueError(version)
    header: dict[str, Any] = {}
    for _ in range(min(count, _LONGEST)):
        key = _text(file)
        value = _value(file, *_unpack(file, "I"))
        if value is not None:
            header[key] = value
    return header


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        if kind not in _FORMATS:
            raise ValueError(kind)
        return _unpack(file, _FORMATS[kind])[0]
    of, length = _unpack(file, "IQ")
    if length > _LONGEST:
        raise ValueError(length)
    if of == _STRING:
        for _ in range(length):
            _skip(file, *_unpack(file, "Q"))
        return None
    letter = _FORMATS.get(of, "")
    if not letter:
        raise ValueError(of)
    if length > _KEPT:
        _skip(file, length * struct.calcsize(f"<{letter}"))
        return None
    return list(_unpack(file, letter * length))


def _unpack(file: BinaryIO, letters: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{letters}", file.read(struct.calcsize(f"<{letters}")))


def _text(file: BinaryIO) -> str:
    (length,) = _unpack(file, "Q")
    if length > _LONGEST:
        raise ValueError(length)
    return file.read(length).decode("utf-8", "replace")


def _skip(file: BinaryIO, length: int) -> None:
    if length > _LONGEST:
        raise ValueError(length)
    file.seek(length, 1)


def _parts(path: Path) -> list[Path]:
    """All parts of a model that is cut in several files; llama.cpp finds them by the same rule."""
    named = _PART.search(path.name)
    if not named:
        return [path]
    stem = path.name[: named.start()]
    return [path.with_name(f"{stem}-{number:05}-of-{named[2]}.gguf") for number in range(int(named[1]), int(named[2]) + 1)]


def _sample(part: Path, size: int, into: "hashlib.blake2b") -> None:
    with part.open("rb") as file:
        for number in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            into.update(file.read(_SAMPLE_BYTES))


def _whole(about: dict[str, Any], key: str) -> int | None:
    value = about.get(key)
    return value if isinstance(value, int) and value > 0 else None


def _token_bytes(about: dict[str, Any]) -> int:
    """Keys and values of one token, over all layers: the same sum that llama.cpp prints as the size of its KV buffer."""
    layers, heads = _whole(about, "block_count"), _whole(about, "attention.head_count")
    width = _whole(about, "embedding_length")
    if layers is None:
        return 0
    each = about.get("attention.head_count_kv", heads)
    kept = sum(each) if isinstance(each, list) else layers * each if isinstance(each, int) else 0
    usual = width // heads if width and heads else 0
    length = (_whole(about, "attention.key_length") or usual) + (_whole(about, "attention.value_length") or usual)
    return int(kept * length * _F16_BYTES)
