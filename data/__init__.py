"""Data sets and the demo: what ``make demo``, the tests and the measurements train on. No part of the product."""
