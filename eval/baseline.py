"""The run that later runs are compared with: every case's scores, and what the run was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval import provenance
from eval.records import Report
from eval.report import files
from index.errors import UsageError

FORMAT = 1
_REMEDY = "write a new one with `rag eval --write-baseline`"


@dataclass(frozen=True, slots=True)
class Baseline:
    """`scores`: case id -> metric -> value; `settings` as in a report."""

    settings: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    where: str = "the baseline"

    @classmethod
    def of(cls, report: Report) -> Baseline:
        """The baseline that a run makes."""
        return cls(report.settings, {record.task.id: dict(record.scores) for record in report.records})

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a file of `write`.

        Raises:
            UsageError: there is no such file, or it is something else.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise UsageError(
                    f"{path} has format {data['format']}, this program reads {FORMAT}: {_REMEDY}"
                )
            return cls(dict(data["settings"]), {k: dict(v) for k, v in data["scores"].items()}, str(path))
        except OSError as error:
            raise UsageError(f"there is no baseline {path} ({error.strerror}): {_REMEDY}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} is not a baseline ({error!r}): {_REMEDY}") from error

    def write(self, path: Path) -> None:
        """Replace a file at once: a line for each case, so that a diff shows which ones moved."""
        settings = ",\n".join(f"  {_json(k)}: {_json(v)}" for k, v in sorted(self.settings.items()))
        scores = ",\n".join(
            f"  {_json(id_)}: {_json(dict(sorted(values.items())))}"
            for id_, values in sorted(self.scores.items())
        )
        text = f'{{"format": {FORMAT},\n "settings": {{\n{settings}}},\n "scores": {{\n{scores}}}}}\n'
        files.replace(path, text.encode("utf-8"))

    def fits(self, settings: Mapping[str, str]) -> bool:
        """Whether a run with these settings asked the same of the same."""
        return not provenance.differences(settings, self.settings)

    def require_comparable(self, settings: Mapping[str, str]) -> None:
        """Raise UsageError unless a run with these settings asked the same of the same."""
        wrong = provenance.differences(settings, self.settings)
        if wrong:
            raise UsageError(
                f"{self.where} cannot be compared with this run: they differ in {' and '.join(wrong)}; {_REMEDY}"
            )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
