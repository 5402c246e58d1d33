"""What vouches for a report: the log's integrity, a sample and its replay, strange instances, auditors' notes."""
