// What an app writes, as docs/client-javascript.md shows it; checked, and never run.

import { BarberPro, CommandError } from "../../../barberpro/clients/web/barberpro.js";

const shop = new BarberPro({ url: "https://line.example", token: async () => "a token", storage: sessionStorage, askMs: 1_000 });
const stop: () => void = shop.watch("queue:bb_1", (state) => console.log(state.waiting[0].tokenNumber, state.counts.waiting));
shop.watch("display:sh_1", ({ calls, queues }) => console.log(calls[0].callId, queues[0].estimatedWait.p50Minutes));
shop.addEventListener("status", () => console.log(shop.status === "live", shop.heardAt("queue:bb_1"), shop.pending.length));
shop.addEventListener("answer", ({ detail }) => console.log(detail.error?.code, detail.result?.ticket?.token));
shop.addEventListener("error", ({ detail: { room, ended } }) => console.log(room, ended));
try {
  const { booking } = await shop.send({ type: "join", barberId: "bb_1", serviceIds: ["sv_1"] });
  if (booking) shop.watch(`booking:${booking.bookingId}`, ({ position, estimatedWait }) => console.log(position, estimatedWait));
} catch (error) {
  if (error instanceof CommandError) console.log(error.code, error.message);
}
stop();
shop.close();

// @ts-expect-error: there is no such room
shop.watch("kitchen:1", () => {});
// @ts-expect-error: nor such a status
console.log(shop.status === "asleep");
