"""Identity by content: canonical JSON to a tagged hash, on the ground floor.

In: JSON-like values. Out: short strings such as `b2:9f3c…`.
Before changing it: every ledger key and every cassette index is made here; a new algorithm needs a new tag.
"""

import hashlib
import json
from typing import Any

_TAG = "b2"
_DIGEST_BYTES = 16  # 128 bits: no two of 10^12 keys meet by chance (birthday bound about 10^-15)
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> str:
    """The one JSON text for `value`: sorted keys, no spaces, UTF-8 kept; equal values give equal texts.

    Raises:
        TypeError: `value` holds something that JSON does not have.
        ValueError: `value` holds NaN or an infinity.
    """
    return _CANONICAL.encode(value)


def fingerprint(value: Any) -> str:
    """A tagged 128-bit hash of `value`'s canonical JSON, such as `b2:0123…` (35 characters).

    Raises:
        TypeError: `value` holds something that JSON does not have.
        ValueError: `value` holds NaN or an infinity.
    """
    # surrogatepass: a model may write a lone surrogate escape, and its reply still needs an identity
    data = canonical_json(value).encode("utf-8", "surrogatepass")
    return f"{_TAG}:{hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()}"
