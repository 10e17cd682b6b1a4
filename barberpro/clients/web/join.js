// What the code on the door opens: the shop, and the place of whoever has one here. The ticket stays on this phone.
// Joining from here comes with the shop's pages; until then apps join with the `door` token that the scan answers.

const shopId = location.pathname.split("/").at(-1);
const ticketOf = `barberpro.ticket.${shopId}`;

async function scan() {
  const asked = { code: new URLSearchParams(location.search).get("code") ?? "" };
  const ticket = localStorage.getItem(ticketOf);
  if (ticket !== null) asked.ticket = ticket;
  const response = await fetch(`/api/v1/shops/${shopId}/scan`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(asked),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(answer.error.message);
  return answer.data;
}

function words(place) {
  if (place === null) return "You are not in the line yet.";
  return place.position ? `Your number is ${place.tokenNumber}; you are at place ${place.position}.`
    : `Your number is ${place.tokenNumber}.`;
}

try {
  const { shop, place } = await scan();
  document.getElementById("shop").textContent = shop.name;
  document.getElementById("place").textContent = words(place);
} catch (error) {
  document.getElementById("place").textContent = error.message;
}
