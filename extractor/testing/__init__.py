"""For tests of services built on this package, and of itself: an endpoint on this machine, scripted answers, articles made of facts.

The names below are public; they are imported when first used, so that a test file that needs one pays for one. `plugin` is loaded by
pytest itself, and gives the fixture `extractor_cassettes`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.testing.endpoint import Answer, Fault, FaultKind, LoopbackEndpoint, Raw, completion, message, mode_of
    from extractor.testing.planting import planted
    from extractor.testing.scripted import Scripted, ScriptedLLM

_WHERE = {
    "endpoint": ("Answer", "Fault", "FaultKind", "LoopbackEndpoint", "Raw", "completion", "message", "mode_of"),
    "planting": ("planted",),
    "scripted": ("Scripted", "ScriptedLLM"),
}

__all__ = [  # noqa: RUF022 - sorted as people read it
    "Answer", "completion", "Fault", "FaultKind", "LoopbackEndpoint", "message", "mode_of", "planted", "Raw", "Scripted", "ScriptedLLM",
]  # fmt: skip


def __getattr__(name: str) -> object:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
