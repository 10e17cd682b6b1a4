"""Each check of a run with faults finds its fault where it is planted in a history, and passes the sound one."""

from collections.abc import Callable
from typing import Any

import pytest

from loadtests.faults import verdict
from loadtests.faults.checks import acknowledged, answered, no_fault, no_trace, real_time, recovered, seen
from loadtests.faults.history import LEFT_OUT
from loadtests.faults.verdict import Verdict, judge
from tests.support.fault_events import call, durable_of, ok, refused, sound_events, sound_history, unknown
from tests.support.fault_events import seen as shown

Json = dict[str, Any]
Plant = Callable[[list[Json]], object]


def judged(
    *more: Json, timed: bool = True, without: frozenset[str] = frozenset(), plant: Plant | None = None
) -> Verdict:
    """The sound history with these lines in it, and without the answers to those commands."""
    lines = [line for line in sound_history() if f"c{line.get('call')}" not in without or line["kind"] == "call"]
    if plant is not None:
        plant(lines)
    return judge(sorted([*lines, *more], key=lambda line: line["at"]), durable_of(sound_events(), timed=timed))


def found(verdict: Verdict) -> set[str]:
    return {name for name, check in verdict.checks.items() if check.found}


@pytest.mark.parametrize("timed", [True, False])
def test_a_sound_history_passes_and_is_counted(timed: bool) -> None:
    sound = judged(timed=timed)
    assert found(sound) == set()
    assert sound.kept
    assert sound.timed is timed
    assert sound.checks[acknowledged.NAME].looked == sound.checks[real_time.NAME].looked == 6
    assert sound.checks[seen.CONFIRMED].looked == sound.totals.seen == 7
    assert sound.totals.by_outcome["join, rest, ok"] == 2
    assert (sound.totals.faults, sound.totals.recoveries) == ({"kill": 1}, [1.0])


def line_of(lines: list[Json], kind: str, number: int) -> Json:
    return next(line for line in lines if line["kind"] == kind and line.get("call") == number)


def _answer(number: int, change: Callable[[Json], object]) -> Plant:
    return lambda lines: change(line_of(lines, "answer", number))


def _state(at_seq: int, room: str, **change: object) -> Plant:
    def plant(lines: list[Json]) -> None:
        next(line for line in lines if line.get("room") == room and line["seq"] == at_seq).update(change)

    return plant


def _calm(**change: object) -> Plant:
    return lambda lines: next(line for line in lines if line["kind"] == "calm").update(change)


PLANTS: dict[str, tuple[str, Plant]] = {
    "another token told": (acknowledged.NAME, _answer(2, lambda line: line["data"]["booking"].update(tokenNumber=2))),
    "another place told": (acknowledged.NAME, _answer(3, lambda line: line["data"]["booking"].update(aheadCount=0))),
    "another seq told": (acknowledged.NAME, _answer(4, lambda line: line["data"]["queue"].update(seq=5))),
    "a booking not told of": (acknowledged.NAME, _answer(5, lambda line: line["data"].pop("booking"))),
    "an answer before COMMIT": (acknowledged.NAME, _answer(4, lambda line: line.update(at=3.95))),
    "a queue shown otherwise": (seen.CONFIRMED, _state(3, "queue:bb_a", facts="2026-03-01|open||1|||0|0")),
    "an unused queue shown open": (seen.CONFIRMED, _state(0, "queue:bb_b", facts="2026-03-01|open|||||0|0")),
    "a booking shown otherwise": (seen.CONFIRMED, _state(4, "booking:bk_x_2", facts="bb_a|2|next|1|")),
    "a display shown otherwise": (seen.CONFIRMED, _state(7, "display:sh_x", facts="bb_a=open||||0;bb_b=open||||0")),
    "a state of another room's event": (seen.CONFIRMED, _state(4, "booking:bk_x_2", seq=7)),
    "a seq that Postgres has not": (seen.CONFIRMED, _state(6, "queue:bb_a", seq=7)),
    "an epoch before its event's": (seen.CONFIRMED, _state(6, "queue:bb_a", epoch=0)),
    "a state before COMMIT": (seen.CONFIRMED, _state(6, "queue:bb_a", at=5.9)),
    "a room that goes back": (seen.BACK, lambda lines: lines.append({**lines[-1], **shown("queue:bb_a", 9.6, 3, "x")})),
    "no recovery": (recovered.NAME, _calm(seconds=None, wrong=["a queue is silent"])),
    "a slow recovery": (recovered.NAME, _calm(seconds=15.5)),
    "calm, but wrong": (recovered.NAME, _calm(wrong=["the stores differ"])),
    "a run that was cut off": (verdict.WHOLE, lambda lines: lines.pop()),
    "a shop that is gone": (verdict.WHOLE, lambda lines: lines[0]["shops"].update(sh_y=["bb_z"])),
}


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_in_a_history_is_found(name: str) -> None:
    check, plant = PLANTS[name]
    assert check in found(judged(plant=plant))


def test_an_acknowledged_command_that_is_in_no_event_is_found() -> None:
    sent = {"commandId": "lost", "type": "open", "barberId": "bb_b"}
    data = {"queue": {"barberId": "bb_b", "epoch": 1, "seq": 1}}
    assert found(judged(call(50, 7.5, sent), ok(50, 7.6, data))) == {acknowledged.NAME}


@pytest.mark.parametrize("replayed", [True, False])
def test_a_command_is_done_for_the_first_time_once(replayed: bool) -> None:
    data = line_of(sound_history(), "answer", 1)["data"]
    again = judged(call(50, 7.5, {"commandId": "c1", "type": "open"}), ok(50, 7.6, data, replayed=replayed))
    assert found(again) == (set() if replayed else {acknowledged.NAME})


def test_an_order_that_real_time_contradicts_is_found() -> None:
    """Command 4 was sent when 5 was answered, and stands before it; a repetition of an older one is none."""
    late = judged(plant=lambda lines: line_of(lines, "call", 4).update(at=5.2), without=frozenset({"c4"}))
    assert found(late) == {real_time.NAME, answered.NAME}


@pytest.mark.parametrize(("code", "name"), [("INTERNAL_ERROR", no_fault.NAME), ("FORBIDDEN", None)])
def test_an_internal_error_is_found(code: str, name: str | None) -> None:
    told = judged(call(50, 7.5, {"commandId": "bad", "type": "open"}), refused(50, 7.6, code))
    assert found(told) == ({name} if name else set())
    assert told.totals.not_judged == {code: 1}


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "shut_out", "client": "c1", "room": "queue:bb_a", "code": "NOT_FOUND"},
        {"kind": "logged", "server": "server-a", "told": "request_failed"},
    ],
    ids=["somebody refused a room", "an error in a log"],
)
def test_what_a_server_itself_does_wrong_is_found(line: Json) -> None:
    assert found(judged({"at": 7.5, **line})) == {no_fault.NAME}


C4 = {"commandId": "c4", "type": "start", "barberId": "bb_a"}


def first_refused(at: float = 3.2) -> tuple[Json, Json]:
    """Command 4 is sent, and refused, when that is true: nobody is being served."""
    return call(50, at, C4), refused(50, at + 0.1, "INVALID_TRANSITION", barberId="bb_a", problem="chair_taken")


def traced(*more: Json, without: frozenset[str] = frozenset()) -> set[str]:
    return found(judged(*more, without=without)) & {no_trace.NAME, no_trace.ONE_ANSWER}


@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_refused_command_happens_no_more_unless_the_memory_of_it_was_lost(rebuilt: bool) -> None:
    events = sound_events()
    for event in events[3:]:
        event["epoch"] += rebuilt
    lines = sorted([*sound_history(), *first_refused()], key=lambda line: line["at"])
    seen_in = found(judge(lines, durable_of(events))) & {no_trace.NAME, no_trace.ONE_ANSWER}
    assert seen_in == (set() if rebuilt else {no_trace.ONE_ANSWER})


@pytest.mark.parametrize(("name", "excused"), [("Valkey killed", True), ("Postgres killed", False)])
def test_what_was_done_to_valkey_in_between_may_have_lost_the_memory_of_it(name: str, excused: bool) -> None:
    fault = {"at": 3.5, "kind": "fault", "fault": 9, "name": name, "phase": "begun", "on": None}
    assert traced(*first_refused(), fault) == (set() if excused else {no_trace.ONE_ANSWER})


def test_a_command_that_never_had_a_final_answer_is_found() -> None:
    assert found(judged(call(50, 7.5, {"commandId": "new", "type": "join"}), unknown(50, 7.6))) == {answered.NAME}


def test_an_event_that_nobody_asked_for_is_found() -> None:
    lines = [line for line in sound_history() if line.get("call") != 4]
    assert found(judge(lines, durable_of(sound_events()))) == {acknowledged.NAME}


def test_an_event_of_another_type_than_its_command_is_found() -> None:
    told = judged(plant=lambda lines: line_of(lines, "call", 4)["command"].update(type="skip"))
    assert found(told) == {acknowledged.NAME}


def test_an_answer_as_if_for_the_first_time_to_what_had_happened_long_before_is_found() -> None:
    data = line_of(sound_history(), "answer", 4)["data"]
    again = [call(50, 7.5, {"commandId": "c4", "type": "start"}), ok(50, 7.6, data)]
    assert found(judged(*again, unknown(4, 4.1), without=frozenset({"c4"}))) == {acknowledged.NAME}


def test_a_fault_that_could_not_be_done_is_not_counted() -> None:
    fault = {
        "at": 7.5,
        "kind": "fault",
        "fault": 9,
        "name": "disk full",
        "phase": "healed",
        "on": None,
        "how": LEFT_OUT,
    }
    assert judged(fault).totals.faults == {"kill": 1}


def test_a_command_that_was_refused_each_time_and_happened_is_found() -> None:
    late = refused(4, 4.1, "INVALID_TRANSITION", barberId="bb_a", problem="nobody_next")
    assert traced(late, without=frozenset({"c4"})) == {no_trace.NAME}


def test_a_command_that_is_refused_after_it_was_acknowledged_is_found() -> None:
    assert traced(*first_refused(4.5)) == {no_trace.NAME}


def test_a_command_that_is_refused_when_it_had_happened_is_found() -> None:
    assert traced(unknown(4, 4.05), *first_refused(4.5), without=frozenset({"c4"})) == {no_trace.NAME}


def test_an_attempt_of_unknown_outcome_that_happens_after_a_refusal_is_found() -> None:
    early = {**call(4, 3.15, C4), "at": 3.15}
    lines = [line for line in sound_history() if line.get("call") != 4] + [early, unknown(4, 3.18), *first_refused()]
    late = judge(sorted(lines, key=lambda line: line["at"]), durable_of(sound_events()))
    assert no_trace.ONE_ANSWER in found(late)
    assert late.checks[no_trace.ONE_ANSWER].looked == 1


def test_so_is_one_that_happens_after_a_refusal_by_whatever_attempt() -> None:
    assert traced(unknown(4, 4.05), *first_refused(), without=frozenset({"c4"})) == {no_trace.ONE_ANSWER}
