"""Which trial is next, and which point has none left."""

from __future__ import annotations

import collections
from typing import Any

from trainer.sweeping.folder import SweepFolder, Trial, TrialResult
from trainer.sweeping.plan import Plan
from trainer.sweeping.results import Objective, PointResult, by_point, ranked, write_table
from trainer.sweeping.search import Search


class Scheduler:
    """Gives trials to processes, and points to the search when all their trials have ended."""

    def __init__(
        self, plan: Plan, folder: SweepFolder, search: Search, objective: Objective
    ) -> None:
        """The trials that have a result already are not run again."""
        self._plan, self._folder, self._search = plan, folder, search
        self.objective = objective
        self.results = {result.trial.number: result for result in folder.results()}
        self._waiting = collections.deque[Trial]()
        self._open_points: dict[int, list[Trial]] = {}

    def next_trial(self) -> Trial | None:
        """The next one that has no result; None where none is left."""
        while not self._waiting:
            found = self._search.next()
            if found is None:
                return None
            trials = self._plan.trials(*found)
            self._open_points[found[0]] = trials
            self._waiting.extend(t for t in trials if t.number not in self.results)
            self._close(found[0])
        return self._waiting.popleft()

    def finish(self, result: TrialResult) -> None:
        """Keep what a trial came to."""
        self.results[result.trial.number] = result
        self.read_others()
        write_table(self._folder, list(self.results.values()))
        self._close(result.trial.point)

    def should_prune(self, trial: Trial, message: dict[str, Any]) -> bool:
        """What the search says of a trial after an epoch."""
        return self._search.should_prune(trial.point, message["epoch"], message["value"])

    def read_others(self) -> None:
        """Take note of what other processes have trained, with which a search is shared."""
        known = set(self.results)
        self.results |= {r.trial.number: r for r in self._folder.results(known)}

    @property
    def ranked(self) -> list[PointResult]:
        """The points that are done, the best first."""
        points = by_point(self.results.values())
        return ranked(points, self.objective, len(self._plan.runs))

    def _close(self, number: int) -> None:
        found = [self.results.get(trial.number) for trial in self._open_points[number]]
        if all(found):
            del self._open_points[number]
            self._search.finish(PointResult([result for result in found if result]))
