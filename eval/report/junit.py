"""The gates of a run as JUnit XML: a CI server lists each with what was measured.

The format has no standard; this is the part that GitHub, GitLab and Jenkins read
(https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from eval.records import Gate, Report
from eval.report import files

# What XML 1.0 cannot hold, not even as a reference: https://www.w3.org/TR/xml/#charsets
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, report: Report) -> None:
    """Write one suite: a test case for each gate, the settings as properties. No gates: no test cases.

    Raises:
        WorkError: it cannot be written there.
    """
    suite = TestSuite(_legal(report.title))
    suite.timestamp = _legal(report.created)
    for name, value in report.settings.items():
        suite.add_property(_legal(name), _legal(value))
    for gate in report.gates:
        suite.add_testcase(_case(gate))
    document = JUnitXml("rag eval")
    document.add_testsuite(suite)
    buffer = io.BytesIO()
    document.write(buffer, pretty=True)
    files.replace(path, buffer.getvalue())


def _case(gate: Gate) -> TestCase:
    case = TestCase(_legal(gate.name), classname="rag eval")
    if gate.passed:
        case.system_out = _legal(gate.message)
    else:
        failure = Failure(_legal(gate.message), "gate")
        failure.text = _legal(gate.message)
        case.result = [failure]
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
