"""What the commands beside analyze print: a module each, with ``document`` for JSON and ``show`` for a console."""
