"""What a run looks like: on a terminal `ui.evaluation_report`, the others here.

    json_file.write, json_file.read         the whole run, to keep and to compare with
    junit.write                             the gates, for a CI server
    markdown.summary, .tables               tables for a job's page and for the documentation
    page.write                              one HTML file with every case

The modules are imported by whoever needs one: each brings a library of its own.
"""

from eval.report.cases import Verdict, came, expected, verdict, worst
from eval.report.labels import Label, label

__all__ = ["Label", "Verdict", "came", "expected", "label", "verdict", "worst"]
