"""report.json: the view model as one document, checked against the schema before it is written."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import StoreError
from analyzer.files import read_regular
from analyzer.report.codec import decode, encode
from analyzer.report.model.analysis import Analysis
from analyzer.report.seal import refuse_changed, write_sealed

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["SCHEMA_VERSION", "dumps", "from_document", "load_report", "schema", "to_document", "write_report"]

SCHEMA_VERSION = "1.0"


@functools.cache
def schema() -> Mapping[str, Any]:
    """Read the JSON schema of this version of the document."""
    file = resources.files("analyzer.report") / "schema" / "v1" / "report.json"
    document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


@functools.cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def to_document(analysis: Analysis) -> dict[str, Any]:
    """Make the document of an analysis.

    Returns
    -------
    dict
        JSON values only, without NaN or infinity; valid against ``schema()``.

    Raises
    ------
    jsonschema.ValidationError
        Where the analysis does not fit the schema: a fault of this tool.
    """
    body = encode(analysis)
    decision = body.pop("decision")
    body["audit"] = None if body["audit"] is None else {"findings": body["audit"]}
    body["diagnosis"] = None if body["diagnosis"] is None else {"causes": body["diagnosis"]}
    document = {
        "schema_version": SCHEMA_VERSION,
        **decision,
        "n_replicates": analysis.n_replicates,
        "before_epoch": analysis.before_epoch,
        **body,
    }
    _validator().validate(document)
    return document


def from_document(document: Mapping[str, Any]) -> Analysis:
    """Rebuild the analysis that a document was made of.

    Raises
    ------
    StoreError
        Where the document is of another schema version or does not fit the schema.
    """
    import jsonschema

    version = document.get("schema_version") if isinstance(document, Mapping) else None
    if not isinstance(version, str) or version.split(".")[0] != SCHEMA_VERSION.split(".", maxsplit=1)[0]:
        raise StoreError(
            f"The report has schema version {version!r}; this yolo-drift reads {SCHEMA_VERSION}.",
            "Run drift analyze again.",
        )
    try:
        _validator().validate(document)
    except jsonschema.ValidationError as error:
        raise StoreError(f"The report does not fit its schema at {error.json_path}: {error.message[:200]}.") from error
    body = dict(document)
    body["decision"] = {k: body[k] for k in ("verdict", "rule", "reasons", "settle")}
    body["audit"] = body["audit"]["findings"] if body["audit"] is not None else None
    body["diagnosis"] = body["diagnosis"]["causes"] if body["diagnosis"] is not None else None
    return decode(Analysis, body)


def dumps(document: Mapping[str, Any]) -> str:
    """Write a document as text: two spaces, UTF-8, a newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_report(analysis: Analysis, path: Path) -> Path:
    """Write report.json atomically (temporary name, fsync, rename), its checksum beside it.

    Raises
    ------
    StoreError
        Where the folder cannot be written.
    """
    return write_sealed(path, dumps(to_document(analysis)))


def load_report(path: Path) -> Analysis:
    """Read a report.json, or the one in a study folder.

    Raises
    ------
    StoreError
        Where there is none, it cannot be read, or it was changed after it was written.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        content = read_regular(file)
        refuse_changed(file, content)
        document = json.loads(content)
    except OSError as error:
        raise StoreError(
            f"There is no report at {file}: {error.strerror or error}.", "drift list RUN shows the studies of a run."
        ) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file} is no JSON document: {error}.") from error
    return from_document(document)
