"""Typer: options, one call, an exit code; no arithmetic."""
