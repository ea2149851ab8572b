"""Who trains the seeds of an arm: processes here, or workers on a cluster."""
