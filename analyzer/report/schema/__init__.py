"""JSON schemas of the report, one folder a major version."""
