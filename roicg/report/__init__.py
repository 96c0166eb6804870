"""The report: what a study found, as one file that opens from disk."""

from roicg.report.page import build_report

__all__ = ["build_report"]
