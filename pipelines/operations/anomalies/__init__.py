"""What the operations on anomalies share: detectors, planted anomalies, alerts and reasons."""
