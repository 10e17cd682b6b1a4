// Where the links of letters lead: to a confirmed address, to a new password, into a shop that invites.
//
// What is behind the # is good once. It stays in the address until it was used, so that a reload does no harm.

import { AccountForm, codeField, nameField, passwordField } from "./account-form.js";
import { apart, button, byId, el } from "./dom.js";
import { ask } from "./rest.js";
import { Session } from "./session.js";
import { signedIn } from "./signin.js";
import { preferred, texts } from "./texts.js";

const place = byId("door");
const purpose = location.pathname.slice(1);
const token = location.hash.slice(1);
const t = await texts("signin", preferred());
const form = new AccountForm(t);
addEventListener("hashchange", () => location.reload()); // another link, in the same tab

document.title = t({ "verify-email": "verifyTitle", "reset-password": "resetTitle", "accept-invitation": "inviteTitle" }[purpose]);
if (purpose === "accept-invitation") accept();
else if (!token) show({ title: document.title, about: [t("noLink")], more: ways() });
else if (purpose === "verify-email") verify();
else reset();

function show(step) {
  if (form.node.parentNode !== place) place.replaceChildren(form.node);
  form.show(step);
}

function verify() {
  const password = passwordField(t, "current");
  show({
    title: t("verifyTitle"), about: [t("verifyHow")], fields: { password }, submit: t("verifyDo"),
    does: async () => {
      const session = new Session(await ask("/auth/verify-email", { body: { token, password: password.input.value } }).catch(over));
      used();
      show({ title: t("verified"), more: ways(session.user) });
    },
  });
}

function reset() {
  const password = passwordField(t, "new");
  show({
    title: t("resetTitle"), about: [t("resetHow")], fields: { password }, submit: t("resetDo"),
    does: async () => {
      await ask("/auth/reset-password", { body: { token, password: password.input.value } }).catch(over);
      used();
      const session = await signedIn(place, { userType: "barber", about: (words) => words("resetDone") });
      show({ title: t("signedIn"), more: ways(session.user) });
    },
  });
}

async function accept() {
  const session = await signedIn(place, { userType: "barber", about: (words) => words("inviteSignIn") });
  const leave = button(t("otherAccount"), () => form.attempt(async () => {
    await session.signOut();
    location.reload();
  }));
  const who = apart(session.user.email ?? session.user.phone ?? session.user.name ?? "");
  const name = session.user.name ? null : nameField(t); // the invitation may have one
  const asks = (fields, told) => ({
    fields: { ...fields, ...(name && { name }) }, submit: t("inviteDo"), more: [leave],
    refusals: { NOT_FOUND: t("inviteNotYours", { who }), INVALID_TRANSITION: t("inviteNotThis", { who }) },
    does: async () => {
      const called = name?.input.value.trim();
      const { role } = await session.ask("POST", "/invitations/accept", { body: { ...told(), ...(called && { name: called }) } });
      used();
      show({ title: t(`accepted_${role}`), more: ways() });
    },
  });
  const signedInAs = { title: t("inviteTitle"), about: [t("signedInAs", { who })], more: [leave] };
  if (token) return show({ ...signedInAs, ...asks({}, () => ({ token })) });
  show(signedInAs);
  form.attempt(async () => {
    const all = await session.ask("GET", "/invitations");
    const one = all.find(({ channel }) => channel === "sms");
    if (!one) return show({ ...signedInAs, about: [t(all.length ? "inviteByMail" : "inviteNone", { who })] });
    const code = codeField(t);
    show({
      title: one.shopName, about: [t("inviteCode")],
      ...asks({ code }, () => ({ invitationId: one.invitationId, code: code.input.value.trim() })),
    });
  });
}

// A link that is over is asked for anew where one signs in.
function over(problem) {
  if (problem.fields?.some(({ path }) => path === "token")) show({ title: document.title, more: ways() });
  throw problem;
}

function used() {
  history.replaceState(null, "", location.pathname);
}

/** Where to go from here. A customer has all on the telephone that took the place in the line. */
function ways(user = { userType: "barber" }) {
  if (user.userType === "customer") return [];
  return [["/console", "toConsole"], ["/admin", "toDashboard"]].map(([href, key]) =>
    el("a", { className: "button", href, textContent: t(key) }));
}
