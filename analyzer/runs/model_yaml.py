"""The model yaml inside a checkpoint is a program: Ultralytics evaluates its activation, calls what layers name.

``parse_model`` runs ``eval(yaml["activation"])`` and calls any global of ``ultralytics.nn.tasks`` that a layer names.
Both are checked before Ultralytics sees them: an activation is a ``torch.nn`` class with literal arguments, a layer is
a module class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analyzer.errors import CheckpointError

__all__ = ["is_literal_activation", "refuse_executable_yaml"]


def is_literal_activation(text: object) -> bool:
    """Whether an activation is ``nn.X(...)`` or ``torch.nn.X(...)`` with literal arguments.

    Examples
    --------
    >>> is_literal_activation("nn.LeakyReLU(0.1)"), is_literal_activation("torch.nn.SiLU(inplace=True)")
    (True, True)
    >>> is_literal_activation("(open('x', 'w'), torch.nn.SiLU())[1]"), is_literal_activation("nn.Module.__init__()")
    (False, False)
    """
    try:
        call = ast.parse(str(text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    owner, name = ast.unparse(call.func.value), call.func.attr
    values = [*call.args, *(k.value for k in call.keywords)]
    return owner in ("nn", "torch.nn") and name[:1].isupper() and all(_literal(v) for v in values)


def _literal(node: ast.AST) -> bool:
    try:
        ast.literal_eval(ast.unparse(node))
    except (ValueError, SyntaxError, RecursionError):
        return False
    return True


def refuse_executable_yaml(path: Path, payload: Mapping[str, Any]) -> None:
    """Raise where a stored model's yaml would make Ultralytics run something that is no layer.

    Parameters
    ----------
    path
        Of the checkpoint, for the message.
    payload
        Its dictionary, loaded with real modules.

    Raises
    ------
    CheckpointError
        Naming what is refused.
    """
    for yaml in _yamls(payload):
        activation = yaml.get("activation")
        if activation and not is_literal_activation(activation):
            _refuse(path, f"the activation {str(activation)[:80]!r}")
        for part in ("backbone", "head"):
            for layer in yaml.get(part) or ():
                name = layer[2] if isinstance(layer, (list, tuple)) and len(layer) > 2 else None
                if not _is_layer(name):
                    _refuse(path, f"the layer {str(name)[:80]!r}")


def _yamls(payload: Mapping[str, Any]) -> Iterator[Mapping[Any, Any]]:
    """The yaml of every stored module: a distilled model keeps its student's inside."""
    for model in (payload.get("ema"), payload.get("model")):
        modules: Any = getattr(model, "modules", lambda model=model: (model,))()
        yield from (m.yaml for m in modules if isinstance(getattr(m, "yaml", None), Mapping))


def _is_layer(name: object) -> bool:
    """Resolve a layer's name as ``parse_model`` does, without calling it."""
    import torch

    if not isinstance(name, str):
        return False
    found: object
    if name.startswith("nn."):
        found = getattr(torch.nn, name[3:], None)
    elif name.startswith("torchvision.ops."):
        import torchvision

        found = getattr(torchvision.ops, name[16:], None)
    else:
        from ultralytics.nn import tasks

        found = vars(tasks).get(name)
    return isinstance(found, type) and issubclass(found, torch.nn.Module)


def _refuse(path: Path, what: str) -> None:
    raise CheckpointError(
        f"{path}: {what} in its model yaml is no layer of torch or Ultralytics, and Ultralytics would run it.",
        "Do not use this file; if it is your own, give --trust-checkpoint.",
    )
