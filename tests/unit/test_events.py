"""An event as the script wrote it."""

from barberpro.queue.scripts import Event

RAW = (
    b'{"shopId":"sh_1","shopSeq":7,"barberId":"bb_1","seq":3,"epoch":2,"link":"a.7","upon":"a.6","type":"open",'
    b'"changes":[]}'
)


def test_what_is_told_of_an_event_is_decoded_once_for_the_answer_too_and_kept_no_longer() -> None:
    event = Event(b"1-0", RAW, b"")
    told, born = event.told
    assert (told["shopSeq"], born) == (7, None)
    assert event.data is told
    assert event.data == told
    assert event.data is not told
