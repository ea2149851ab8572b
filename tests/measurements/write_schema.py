"""Write the JSON schema of the report from the dataclasses: ``python -m tests.measurements.write_schema``.

The schema is committed; a test compares it with what this module makes, so a field cannot be added in silence.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.evidence import Cause, Decision, Finding
from analyzer.report import document
from analyzer.report.model.analysis import Analysis

__all__ = ["SCHEMA_PATH", "make"]

SCHEMA_PATH = Path(document.__file__).parent / "schema" / "v1" / "report.json"
_PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number"}


def make() -> dict[str, Any]:
    """Make the schema of version 1."""
    defs: dict[str, Any] = {}
    decision = _object(Decision, defs)
    body = _object(Analysis, defs)["properties"]
    body.pop("decision")
    findings = {"type": "array", "items": _schema(Finding, defs)}
    causes = {"type": "array", "items": _schema(Cause, defs)}
    body["audit"] = _nullable(_closed({"findings": findings}), "Findings of the state audit; null where not run.")
    body["diagnosis"] = _nullable(_closed({"causes": causes}), "Causes, the surest first; null where not looked for.")
    properties = {
        "schema_version": {"type": "string", "pattern": r"^1\.", "description": "Major and minor version."},
        **decision["properties"],
        "n_replicates": {"type": "integer", "minimum": 0, "description": "Replicates that make the null."},
        "before_epoch": {"type": ["integer", "null"], "description": "Epoch of the last row before the seam."},
        **body,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "yolo-drift/report/v1",
        "title": "Report of drift analyze",
        "description": "null stands for what was not computed; steps left out are null and named in not_run.",
        **_closed(properties),
        "$defs": dict(sorted(defs.items())),
    }


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _nullable(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _object(kind: type, defs: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, localns={"pd": None})
    words = _descriptions(inspect.getdoc(kind) or "")
    properties = {}
    for field in (f for f in dataclasses.fields(kind) if f.metadata.get("in report", True)):
        schema = _schema(hints[field.name], defs)
        if field.name in words:
            schema = {**schema, "description": words[field.name]}
        properties[field.name] = schema
    return _closed(properties)


def _schema(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [*(_schema(a, defs) for a in arguments if a is not type(None)), {"type": "null"}]}
    if origin is tuple and arguments[1:] != (Ellipsis,):
        return {"type": "array", "prefixItems": [_schema(a, defs) for a in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], defs)}
    if origin is np.ndarray:
        return {"type": "array"}  # of numbers and null, or of rows of them
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], defs)}
    return _named(hint, defs)


def _named(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        # NaN cannot be written in JSON: where a float is not finite, the document says null
        return {"type": ["number", "null"]} if hint is float else {"type": _PLAIN[hint]}
    if issubclass(hint, Path):
        return {"type": "string"}
    if hint.__name__ not in defs:
        defs[hint.__name__] = {}  # a place for types that hold themselves
        defs[hint.__name__] = {"enum": [e.value for e in hint]} if issubclass(hint, Enum) else _object(hint, defs)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _descriptions(docstring: str) -> dict[str, str]:
    """Read the Parameters section of a numpydoc docstring."""
    section = docstring.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    words: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", section, flags=re.MULTILINE):
        sentence = " ".join(line.strip() for line in text.splitlines())
        words.update({name.strip(): sentence for name in names.split(",")})
    return words


if __name__ == "__main__":
    SCHEMA_PATH.write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
