"""Visits counted, by day and in all."""

from collections.abc import Sequence
from datetime import date

from barberpro.protocol.reports import DayVisits, Visits
from barberpro.storage.stats import Done


def visits_of(done: Sequence[Done]) -> Visits:
    """All of them together."""
    completed = sum(each.completed for each in done)
    appointments = sum(each.appointments for each in done)
    timed = sum(each.timed for each in done)
    waited = sum(each.waited_seconds for each in done) / 60
    return {
        "completed": completed,
        "walkIns": completed - appointments,
        "appointments": appointments,
        "cancelled": sum(each.cancelled for each in done),
        "noShows": sum(each.no_shows for each in done),
        "serviceMinutes": round(sum(each.service_seconds for each in done) / 60),
        "plannedMinutes": sum(each.planned_minutes for each in done),
        "averageWaitMinutes": round(waited / timed, 1) if timed else None,
    }


def by_day(done: Sequence[Done], days: Sequence[date]) -> list[DayVisits]:
    """Every day, with what was done on it."""
    return [
        {"date": day.isoformat(), **visits_of([each for each in done if each.day == number])}
        for number, day in enumerate(days)
    ]
