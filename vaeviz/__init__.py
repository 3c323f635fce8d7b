"""See what a model with an encoder or a decoder learned: plots and analysis for any callables."""

from typing import Any

import lazy_loader

__version__ = "0.1.0"
_import_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name in __all__:
        return _import_attribute(name)
    try:
        return _import_attribute(name)  # a room, such as vaeviz.analysis
    except AttributeError:
        from vaeviz.errors import UnknownName

        raise AttributeError(str(UnknownName("attribute of vaeviz", name, __all__)), name=name) from None
