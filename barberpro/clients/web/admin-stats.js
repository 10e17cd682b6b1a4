// Where figures come from, in one form whoever asks.

/** Of a shop, or with "" of all of them. */
export function shopStats({ session }, shopId, asked) {
  const query = new URLSearchParams(asked);
  return session.ask("GET", shopId ? `/shops/${shopId}/analytics?${query}` : `/admin/analytics?${query}`);
}

/** Of the barber's own line: without what goes on now, arrivals and services. */
export async function ownStats({ session }, asked) {
  const query = new URLSearchParams(asked);
  const [stats, earned] = await Promise.all(["stats", "earnings"].map((name) => session.ask("GET", `/queue/${name}?${query}`)));
  return { ...stats, earnings: earned.earnings, own: true };
}
