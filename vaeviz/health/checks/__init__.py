"""The findings of a report: one question a file, answered from the numbers of ``vaeviz.analysis``."""
