"""The structs of `report.json`, a file for each section; `evaluation.report_format` says what they promise."""
