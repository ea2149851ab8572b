"""Hooks into other tools."""
