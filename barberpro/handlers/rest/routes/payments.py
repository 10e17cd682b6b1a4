"""Money."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import payments
from barberpro.handlers.rest.operations import V1, Operation, get, post
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.money import (
    CorrectPayment,
    DaysTold,
    Discrepancy,
    LedgerLine,
    PaymentsQuery,
    ReconciliationQuery,
    Recorded,
    RecordPayment,
    RefundPayment,
)

_PAYMENTS: Final = f"{V1}/payments"
_LEDGER: Final = (ErrorCode.INVALID_TRANSITION, ErrorCode.IDEMPOTENCY_MISMATCH)
_MISSING: Final = (ErrorCode.NOT_FOUND,)

ROUTES: Final[tuple[Operation, ...]] = (
    get(
        _PAYMENTS,
        "list_payments",
        payments.list_own,
        Action.SEE_PAYMENTS,
        query=PaymentsQuery,
        tells=list[LedgerLine],
        refuses=_MISSING,
    ),
    get(
        f"{_PAYMENTS}/reconciliation",
        "list_discrepancies",
        payments.reconcile,
        Action.SEE_PAYMENTS,
        query=ReconciliationQuery,
        tells=list[Discrepancy],
        meta=DaysTold,
        refuses=_MISSING,
    ),
    post(
        f"{_PAYMENTS}/{{bookingId}}/record",
        "record_payment",
        payments.record,
        Action.RECORD_PAYMENT,
        takes=RecordPayment,
        tells=Recorded,
        statuses=(201, 200),
        refuses=_LEDGER,
        example={"method": "cash", "amount": "250.00", "tip": "20.00"},
    ),
    post(
        f"{_PAYMENTS}/{{paymentId}}/refund",
        "refund_payment",
        payments.refund,
        Action.REFUND_PAYMENT,
        takes=RefundPayment,
        tells=Recorded,
        statuses=(201, 200),
        refuses=_LEDGER,
        example={"amount": "50.00", "reason": "waited too long"},
    ),
    post(
        f"{_PAYMENTS}/{{paymentId}}/correct",
        "correct_payment",
        payments.correct,
        Action.CORRECT_PAYMENT,
        takes=CorrectPayment,
        tells=Recorded,
        statuses=(201, 200),
        refuses=_LEDGER,
        example={"amount": "205.00", "reason": "a slip of the finger"},
    ),
)
