// SPDX-License-Identifier: EUPL-1.2
// Offers the app where the browser can install it; elsewhere the page says nothing of it.
const room = document.getElementById("installer");
let offer = null;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // asked after a click, never before
  offer = event;
  room.hidden = false;
});
addEventListener("appinstalled", () => { room.hidden = true; });
room.querySelector("button").addEventListener("click", () => offer && offer.prompt());
