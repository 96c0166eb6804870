"""Questions that a study asks of its models beyond their graphs, each with its control.

A finding is measured per checkpoint and told as tables: ``finding.py`` says what one is, ``registry.py`` lists them all.
"""
