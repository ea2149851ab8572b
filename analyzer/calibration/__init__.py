"""The tool measured by itself: simulated and recorded resumes with a known truth."""
