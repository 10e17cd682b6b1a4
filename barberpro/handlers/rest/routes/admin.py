"""What administrators see and do; and feature flags, for those who see them."""

from typing import Final

from barberpro.domain import exports as made
from barberpro.domain.policy import Action
from barberpro.handlers.rest import (
    analytics,
    audit,
    blocks,
    booking_search,
    exports,
    flags,
    letters,
    payments,
    people,
)
from barberpro.handlers.rest.operations import V1, Operation, delete, get, post, put
from barberpro.protocol.audit import AuditEntry, AuditQuery, TimesTold
from barberpro.protocol.blocks import BlocksQuery, BlockTold, NewBlock
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.flags import ChangeFlag, FlagsOn, FlagsQuery, FlagTold
from barberpro.protocol.letters import LettersQuery, LetterTold
from barberpro.protocol.money import LedgerLine, PaymentsQuery
from barberpro.protocol.reports import (
    Analytics,
    AnalyticsQuery,
    BookingRow,
    Export,
    ExportReport,
    ExportsQuery,
    JobsTold,
    SearchBookingsQuery,
)
from barberpro.protocol.shops import AdminBarberTold, AdminShopTold, BarbersQuery, ShopsQuery
from barberpro.protocol.staff import UsersQuery, UserTold
from barberpro.protocol.system import Nothing

_ADMIN: Final = f"{V1}/admin"
_FLAG: Final = f"{_ADMIN}/flags/{{flagName}}"
_EXPORTS: Final = f"{_ADMIN}/reports/exports"
_MISSING: Final = (ErrorCode.NOT_FOUND,)

ROUTES: Final[tuple[Operation, ...]] = (
    get(f"{V1}/flags", "list_own_flags", flags.own, Action.SEE_OWN_FLAGS, tells=FlagsOn),
    get(f"{_ADMIN}/flags", "list_flags", flags.list_all, Action.SEE_FLAGS, query=FlagsQuery, tells=list[FlagTold]),
    put(
        _FLAG,
        "change_flag",
        flags.change,
        Action.CHANGE_FLAGS,
        takes=ChangeFlag,
        tells=FlagTold,
        example={"percentage": 10, "targetUsers": ["us_9k3m7q1v5t2x8r4w"], "description": "the new search"},
    ),
    delete(_FLAG, "remove_flag", flags.remove, Action.CHANGE_FLAGS, tells=Nothing),
    get(f"{_ADMIN}/users", "search_users", people.users, Action.SEE_USERS, query=UsersQuery, tells=list[UserTold]),
    get(
        f"{_ADMIN}/barbers",
        "list_barbers",
        people.barbers,
        Action.SEE_BARBERS,
        query=BarbersQuery,
        tells=list[AdminBarberTold],
    ),
    get(f"{_ADMIN}/shops", "list_shops", people.shops, Action.SEE_SHOPS, query=ShopsQuery, tells=list[AdminShopTold]),
    get(
        f"{_ADMIN}/analytics",
        "get_analytics",
        analytics.show,
        Action.SEE_ANALYTICS,
        query=AnalyticsQuery,
        tells=Analytics,
        refuses=_MISSING,
    ),
    get(
        f"{_ADMIN}/bookings",
        "search_bookings",
        booking_search.list_all,
        Action.SEARCH_BOOKINGS,
        query=SearchBookingsQuery,
        tells=list[BookingRow],
    ),
    get(
        f"{_ADMIN}/payments",
        "search_payments",
        payments.list_all,
        Action.SEARCH_PAYMENTS,
        query=PaymentsQuery,
        tells=list[LedgerLine],
    ),
    post(
        f"{_ADMIN}/reports/export",
        "export_report",
        exports.ask,
        Action.EXPORT_REPORTS,
        takes=ExportReport,
        tells=Export,
        statuses=(202,),
        refuses=(*_MISSING, ErrorCode.IDEMPOTENCY_MISMATCH),
        example={"report": "bookings", "format": "csv", "from": "2026-11-01", "to": "2026-11-30"},
    ),
    get(
        _EXPORTS,
        "list_exports",
        exports.list_all,
        Action.EXPORT_REPORTS,
        query=ExportsQuery,
        tells=list[Export],
    ),
    get(f"{_EXPORTS}/{{exportId}}", "get_export", exports.show, Action.EXPORT_REPORTS, tells=Export),
    get(
        f"{_EXPORTS}/{{exportId}}/file",
        "download_export",
        exports.download,
        Action.EXPORT_REPORTS,
        files=tuple(made.CONTENT_TYPES.values()),
        refuses=(ErrorCode.INVALID_TRANSITION,),
    ),
    get(f"{_ADMIN}/jobs", "list_jobs", exports.jobs, Action.SEE_JOBS, tells=JobsTold),
    get(
        f"{_ADMIN}/audit",
        "list_audit",
        audit.list_audit,
        Action.SEE_AUDIT,
        query=AuditQuery,
        tells=list[AuditEntry],
        meta=TimesTold,
    ),
    get(
        f"{_ADMIN}/blocks",
        "list_blocks",
        blocks.list_blocks,
        Action.SEE_BLOCKS,
        query=BlocksQuery,
        tells=list[BlockTold],
    ),
    post(
        f"{_ADMIN}/blocks",
        "create_block",
        blocks.create,
        Action.CHANGE_BLOCKS,
        takes=NewBlock,
        tells=BlockTold,
        statuses=(201,),
        example={"address": "192.0.2.1", "minutes": 60, "reason": "a flood"},
    ),
    delete(f"{_ADMIN}/blocks/{{blockId}}", "lift_block", blocks.lift, Action.CHANGE_BLOCKS, tells=BlockTold),
    get(
        f"{_ADMIN}/letters",
        "list_letters",
        letters.list_all,
        Action.SEE_LETTERS,
        query=LettersQuery,
        tells=list[LetterTold],
    ),
)
