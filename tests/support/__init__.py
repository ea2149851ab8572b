"""What several tests share: builders of runs and studies, and stand-ins for what trains."""
