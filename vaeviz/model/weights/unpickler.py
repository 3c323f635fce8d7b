"""An unpickler that builds tensors and plain containers, and replaces every other object by an inert one.

Checkpoints hold more than weights: an ``argparse.Namespace``, a configuration of omegaconf, optimizers, whole modules.
Their classes are never imported, and no function of the file is called but the few that rebuild tensors.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar


class InertObject(dict[Any, Any]):
    """Stand-in for an object of any other class: its items and attributes by name, without behavior.

    Parameters
    ----------
    *args, **kwargs
        Ignored.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> InertObject:
        """Ignore all arguments."""
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __hash__(self) -> int:  # type: ignore[override]  # it can be a key, as the object that it replaces
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __call__(self, *args: Any, **kwargs: Any) -> InertObject:
        """Ignore all arguments, as a function that returns nothing of use."""
        return InertObject()

    def __setstate__(self, state: Any) -> None:
        attributes = state[0] if isinstance(state, tuple) and state else state
        if isinstance(attributes, dict):
            self.update(attributes)

    append = add = __call__  # by which an unpickler fills a list or a set; items are left out


class TensorUnpickler(pickle._Unpickler):  # the one in C allocates gigabytes for an index that a file declares
    """An unpickler whose `find_class` returns functions that rebuild tensors, or `InertObject`."""

    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Return what a file names, if it belongs to tensors.

        Parameters
        ----------
        module, name : str
            What the file names. Nothing is imported.

        Returns
        -------
        callable
            A function or class that is safe with any arguments.
        """
        return _tensor_builders().get(f"{module}.{name}", InertObject)

    def get_extension(self, code: int) -> None:
        """Push the inert class, since `copyreg` caches the classes of codes for the whole program.

        Parameters
        ----------
        code : int
            Ignored.
        """
        self.append(InertObject)

    def load_build(self) -> None:
        """Set the attributes of an inert object, but not those of a function of torch, which would outlast the file."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], InertObject):
            self.stack[-1].__setstate__(state)

    def load_bytearray8(self) -> None:
        """Push the bytes that the file has, instead of allocating as many as it declares."""
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def load_tensors(path: Path) -> Any:
    """Load a zip archive of ``torch.save`` with inert objects instead of all that is neither tensor nor container.

    Parameters
    ----------
    path : Path
        The file. Tensors stay on disk until they are used.

    Returns
    -------
    object
        Its content.
    """
    import torch

    unpickler = SimpleNamespace(__name__=__name__, Unpickler=TensorUnpickler)
    return torch.load(path, map_location="cpu", mmap=True, weights_only=False, pickle_module=unpickler)


def _tensor_builders() -> dict[str, Any]:
    """Return the functions and classes that a file may call, and the types of tensors, by name."""
    import torch

    rebuild_parameter: Callable[..., Any] = torch._utils._rebuild_parameter
    return {
        "collections.OrderedDict": OrderedDict,
        "torch.Size": torch.Size,
        "torch._utils._rebuild_tensor": torch._utils._rebuild_tensor,
        "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
        "torch._utils._rebuild_tensor_v3": torch._utils._rebuild_tensor_v3,
        "torch._utils._rebuild_parameter": rebuild_parameter,
        # Attributes of tensors are left out, since setting one could run code.
        "torch._utils._rebuild_parameter_with_state": lambda *args: rebuild_parameter(*args[:3]),
        "torch._tensor._rebuild_from_type_v2": lambda rebuild, kind, args, state: rebuild(*args),
        **{str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)},
    }
