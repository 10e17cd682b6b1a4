// Why a place is what it is: a state's or a change's cause, in words.

const NOT_FOR_PEOPLE = new Set(["grace_expired", "missed", "day_ended", "waiting_kept", "waiting_cancelled"]);

/**
 * @param {(key: string, values?: object) => string} t
 * @param {import("./barberpro.js").Cause | null} cause as it is told to whoever has the booking: it names the booking
 *   when it is about that one
 * @param {string} status what the place became by it: a barber's one press ends a visit and begins another
 * @returns {string} empty when there is nothing to say
 */
export function reason(t, cause, status) {
  if (!cause) return "";
  const whose = cause.bookingId ? "own" : "other";
  const who = cause.tokenNumber === undefined ? t("somebody") : t("numbered", { token: String(cause.tokenNumber) });
  const keys = [cause.reason, status, cause.actorRole, ""].map((more) => `${whose}.${cause.type}${more && `.${more}`}`);
  const words = keys.map((key) => ({ key, words: t(key, { who }) })).find(({ key, words }) => words !== key)?.words;
  if (!words) return "";
  return cause.reason && !NOT_FOR_PEOPLE.has(cause.reason) ? t("because", { words, reason: cause.reason }) : words;
}
