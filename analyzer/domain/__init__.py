"""The vocabulary: frozen dataclasses and enums; stdlib and numpy only."""
