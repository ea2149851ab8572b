"""What Ultralytics wrote, read only."""
