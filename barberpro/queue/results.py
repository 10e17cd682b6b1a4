"""What a command's caller is told: derived from the command's last event, so a repetition is told the same."""

from typing import Any

from barberpro.protocol.answers import BookingResult, CommandResult, QueuePoint

Json = dict[str, Any]


def result_of(event: Json) -> CommandResult:
    """Of the event that concluded a command."""
    queue: QueuePoint = {"barberId": event["barberId"], "epoch": event["epoch"], "seq": event["seq"]}
    booking_id = event.get("bookingId")
    if booking_id is None:
        return {"queue": queue}
    booking = next(change for change in event["changes"] if change["bookingId"] == booking_id)
    position = event.get("position")
    told: BookingResult = {
        "bookingId": booking_id,
        "shopId": event["shopId"],
        "barberId": booking["barberId"],
        "tokenNumber": booking.get("token"),
        "status": booking["status"],
        "position": position,
        "aheadCount": max(position - 1, 0) if position is not None else None,
        "businessDate": booking.get("day"),
        "skipCount": booking["skips"],
    }
    return {"booking": told, "queue": queue}
