"""What a checkpoint may name: the only globals that are ever resolved while one is read.

Nothing here is imported when a file is scanned; the rules are about names. Classes of layers may be made (``__new__``)
but never called: a model's constructor evaluates strings of its yaml, so a call with a crafted yaml would run code.
"""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["Use", "permitted"]


class Use(Enum):
    """What a checkpoint may do with a global."""

    MAKE = "make an empty instance and fill its attributes"
    CALL = "call it: a constructor or rebuild function of plain data"


_CLASS = re.compile(r"[A-Z]\w*$|v10Detect$|v10DetectLoss$|v8\w+Loss$|ResBlock_CBAM$")
_MODULES = re.compile(
    r"torch\.nn\.modules\.\w+$|ultralytics\.nn\.modules(\.\w+)?$|ultralytics\.nn\.(tasks|distill_model)$"
    r"|ultralytics\.utils\.(loss|tal)$"
)
_MAKE = frozenset(
    f"torchvision.transforms.transforms.{name}"
    for name in ("Compose", "Normalize", "Resize", "CenterCrop", "ToTensor")  # kept by classification models
)
_PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
_DTYPES = ("float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool")
_STORAGES = ["Half", "Float", "Double", "BFloat16", "Char", "Short", "Int", "Long", "Byte", "Bool"]
_CALL = frozenset(
    [
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch.Size",
        "torch.device",
        "torch.nn.parameter.Parameter",
        "torch.storage.UntypedStorage",
        "collections.OrderedDict",
        "builtins.set",
        "builtins.frozenset",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.getattr",  # replaced by a getattr of class attributes: how older pythons store an enum member
        "_codecs.encode",
        "numpy.dtype",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "ultralytics.utils.IterableSimpleNamespace",
        "torchvision.transforms.functional.InterpolationMode",
        "datetime.datetime",
        "datetime.date",
        "datetime.timedelta",
        "datetime.timezone",
        *(f"{module}.{name}" for module in ("pathlib", "pathlib._local") for name in _PATHS),
        *(f"torch.{name}" for name in _DTYPES),
        *(f"torch.{name}Storage" for name in _STORAGES),
    ]
)


def permitted(module: str, name: str) -> Use | None:
    """What may be done with ``module.name``; None: nothing, the checkpoint is refused.

    Examples
    --------
    >>> permitted("torch.nn.modules.conv", "Conv2d").name, permitted("collections", "OrderedDict").name
    ('MAKE', 'CALL')
    >>> permitted("os", "system"), permitted("ultralytics.nn.tasks", "os.system")
    (None, None)
    """
    full = f"{module}.{name}"
    if full in _CALL:
        return Use.CALL
    if full in _MAKE or (_MODULES.match(module) and _CLASS.match(name)):
        return Use.MAKE
    return None
