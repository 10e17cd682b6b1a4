"""The benchmark's load: most of what it draws can succeed, and the lines keep their length."""

from itertools import count

from loadtests.bench.floor import Floor, Refusal, Step

LENGTH = 16


def acknowledge(floor: Floor, step: Step, numbers: "count[int]") -> None:
    """Tell the floor what a queue that allows everything would answer."""
    if step.kind == "join":
        floor.done(step, f"bk_{next(numbers)}", "waiting")
        return
    assert step.booking is not None
    status = {"advance": "serving", "cancel": "cancelled", "no_show": "skipped"}.get(step.kind, "waiting")
    floor.done(step, step.booking.booking_id, status)


def test_the_lines_stay_near_their_length() -> None:
    floor, numbers = Floor(shops=2, barbers=3, length=LENGTH, customers=1000), count()
    for _ in range(20_000):
        acknowledge(floor, floor.draw(), numbers)
    assert all(LENGTH * 2 // 3 <= len(line.order) <= LENGTH * 4 // 3 + 1 for line in floor.lines)


def test_every_kind_of_transition_is_drawn() -> None:
    floor, numbers = Floor(shops=2, barbers=3, length=LENGTH, customers=1000), count()
    drawn = set()
    for _ in range(5000):
        step = floor.draw()
        drawn.add(step.kind)
        acknowledge(floor, step, numbers)
    assert drawn == {
        "join", "advance", "step_back", "skip", "move", "transfer", "cancel", "recall", "no_show",
    }  # fmt: skip


def test_a_stale_expectation_teaches_who_is_in_the_chair() -> None:
    floor, numbers = Floor(shops=1, barbers=2, length=LENGTH, customers=1000), count()
    while (step := floor.draw()).kind != "advance":
        acknowledge(floor, step, numbers)
    floor.refused(step, Refusal("STALE_STATE", serving="bk_other"))
    assert step.line.serving == "bk_other"
    assert step.line.fronts == 0
