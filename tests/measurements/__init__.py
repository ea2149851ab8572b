"""Every script behind a number in the documents, with its result beside it.

Run a script from the root of the checkout, for example ``python -m tests.measurements.fuzz.run``. pytest collects
nothing here: the tests of these scripts are in tests/unit/measurements.
"""
