"""Examples: one small scene, in which every field has its value. A test holds each to its schema."""

from collections.abc import Mapping
from typing import Any, Final

from barberpro.handlers.asyncapi.schemas import PLACE

Json = dict[str, Any]

_AT: Final = "2026-11-21T09:30:00.125Z"
_BARBER: Final = "bb_4t8n1c6x0azd"
_BOOKING: Final = "bk_7f3k2m9qwe_0dq1v9z3k8m2t5r7w4xa"
_SERVICE: Final = "sv_2h6v0j5b8ynm"
_SHOP: Final = "sh_7f3k2m9qwe"
_USER: Final = "us_9k3m7q1v5t2x8r4w"
_TOKEN: Final = "eyJhbGciOiJSUzI1NiJ9..."  # noqa: S105 - nobody's

SCENE: Final[Mapping[str, object]] = {
    "accessToken": _TOKEN,
    "action": "staff.added",
    "actorId": _USER,
    "actorRole": "barber",
    "address": "12 Church Street, Bengaluru",
    "agent": "curl/8.5.0",
    "aheadCount": 0,
    "amount": "250.00",
    "askAgainSeconds": 3,
    "attempts": 1,
    "average": "4.63",
    "averageWaitMinutes": 11.5,
    "barberId": _BARBER,
    "barberName": "Ravi",
    "blockId": "rl_0dq1v9z3k8m2t5r7w4xa",
    "bookingDate": "2026-11-24",
    "bookingId": _BOOKING,
    "breaks": {"mon": [["13:00", "14:00"]]},
    "bytes": 20480,
    "cancelledBy": "customer",
    "card": "0.00",
    "cash": "270.00",
    "challengeId": "ch_6m2q9x4v1t8k",
    "changedBy": _USER,
    "channel": "email",
    "charges": "250.00",
    "code": "123456",
    "commandId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "contact": "ben@example.com",
    "corrections": "0.00",
    "currency": "INR",
    "customerId": _USER,
    "customerName": "Asha",
    "description": "the new search",
    "deviceId": "dv_1k5n8r3w7q2m6x9v",
    "difference": "-50.00",
    "distanceKm": 1.2,
    "durationMinutes": 25,
    "email": "asha@example.com",
    "endReason": "done",
    "epoch": 1,
    "exceptions": [{"date": "2026-12-24", "shifts": [["09:00", "12:00"]]}],
    "exportId": "ex_3v7x1m5q9t2k",
    "flagName": "new_search",
    "forServices": "250.00",
    "forTips": "20.00",
    "graceMinutes": 5.0,
    "id": _USER,
    "idToken": _TOKEN,
    "invitationId": "ch_6m2q9x4v1t8k",
    "ip": "203.0.113.7",
    "jobId": "4711",
    "kind": "walk_in",
    "language": "en",
    "lateMinutes": 15.0,
    "latitude": 12.9716,
    "letterId": "lt_0dq1v9z3k8m2t5r7w4xa",
    "liftedBy": _USER,
    "link": "1.42",
    "longitude": 77.5946,
    "madeBy": _USER,
    "message": "There is no such thing, or it is not yours.",
    "name": "Asha",
    "network": "203.0.113.7",
    "nextCursor": None,
    "notes": "short at the sides",
    "objectId": _BARBER,
    "objectType": "barber",
    "ofPaymentId": "pm_7f3k2m9qwe_0dq1v9z3k8m2t5r7w4xa",
    "on": ["new_search"],
    "openingHours": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sun": []},
    "overdueSeconds": 0.4,
    "p50Minutes": 12,
    "p90Minutes": 21,
    "paid": "250.00",
    "pairedBy": _USER,
    "parts": {"postgres": True, "redis": True, "journal": True},
    "paymentId": "pm_7f3k2m9qwe_0dq1v9z3k8m2t5r7w4xa",
    "permissions": ["account.see", "join"],
    "phone": "+919876543210",
    "photoUrl": "https://pictures.example/ravi.jpg",
    "position": 1,
    "preferredTime": "09:30",
    "price": "250.00",
    "problem": None,
    "reason": "I cannot come",
    "recordedBy": _USER,
    "recordedByRole": "barber",
    "reference": "<1732181400.1@example.com>",
    "refreshToken": "ss_5t9w2k6n1q8x3v7m.0.k2v8q4m1",
    "refunds": "0.00",
    "requestId": "req_0dq1v9z3k8m2t5r7w4xa",
    "reviewId": "rt_0dq1v9z3k8m2t5r7w4xa",
    "role": "barber",
    "room": f"queue:{_BARBER}",
    "secret": "kZ3nq0b1vS8xw5yT2uR7eP4oI9aD6fGh",
    "seq": 42,
    "serviceId": _SERVICE,
    "serviceIds": [_SERVICE],
    "sessionId": "ss_5t9w2k6n1q8x3v7m",
    "shifts": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]]},
    "shopId": _SHOP,
    "shopName": "Corner Barbers",
    "shopSeq": 57,
    "staffId": _USER,
    "status": "completed",
    "targetUsers": [_USER],
    "template": "verify_email",
    "text": "Quick and neat.",
    "timeZone": "Asia/Kolkata",
    "tip": "20.00",
    "tips": "20.00",
    "token": _TOKEN,
    "tokenNumber": 7,
    "total": "270.00",
    "totalPrice": "250.00",
    "type": "join",
    "upi": "0.00",
    "upon": "1.41",
    "url": f"https://shop.example/join/{_SHOP}?code=7b2k9m4x0qrt",
    "userId": _USER,
    "kty": "RSA",
    "use": "sig",
    "alg": "RS256",
    "kid": "5f0c2a",
    "n": "vX3k...",
    "e": "AQAB",
    "before": None,
    "after": {"role": "barber"},
    "via": {"requestId": "req_0dq1v9z3k8m2t5r7w4xa"},
    "queue": {"status": "open", "seq": 42, "day": "2026-11-21", "lastToken": 7},
    "changes": [{"bookingId": _BOOKING, "barberId": _BARBER, "status": "next", "token": 7}],
    "day": "2026-11-21",
    "hidden": None,
}
"""By the field's name."""
_OF_FORMAT: Final = {"date-time": _AT, "date": "2026-11-21"}


class Examples:
    """Made of schemas; definitions: what these refer to."""

    def __init__(self, definitions: Json) -> None:
        self._definitions = definitions

    def of(self, schema: Json, name: str = "") -> Any:  # noqa: ANN401 - any JSON
        """An example of what the schema allows. name: of the field that has it. Raises LookupError."""
        schema = self._resolved(schema)
        if "examples" in schema:
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if name in SCENE and self._fits(SCENE[name], schema):
            return SCENE[name]
        for union in ("anyOf", "oneOf"):
            if union in schema and "properties" not in schema:
                return self.of(next(each for each in schema[union] if each.get("type") != "null"), name)
        return self._by_type(schema, name)

    def _by_type(self, schema: Json, name: str) -> Any:  # noqa: ANN401 - any JSON
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("format") in _OF_FORMAT:
            return _OF_FORMAT[schema["format"]]
        match schema.get("type"):
            case "object":
                return {field: self.of(each, field) for field, each in schema.get("properties", {}).items()}
            case "array":
                return [self.of(schema["items"], name.removesuffix("s"))]
            case "boolean":
                return True
            case "integer" | "number":
                return max(schema.get("minimum", 0), 1)
        raise LookupError(f"the scene has no {name!r} such as {schema}")

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].removeprefix(PLACE)]
        return schema

    def _fits(self, value: object, schema: Json) -> bool:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return any(self._fits(value, each) for each in schema["anyOf"])
        if "enum" in schema:
            return value in schema["enum"]
        if schema.get("format") in _OF_FORMAT or "properties" in schema:
            return False
        kinds: dict[str, type | tuple[type, ...]] = {
            "string": str,
            "integer": int,
            "number": (int, float),
            "boolean": bool,
            "null": type(None),
            "array": list,
            "object": dict,
        }
        return isinstance(value, kinds[schema["type"]]) if "type" in schema else False
