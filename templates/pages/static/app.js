// SPDX-License-Identifier: EUPL-1.2
// On every page: lets the browser keep what is read without a connection (sw.js).
if ("serviceWorker" in navigator && isSecureContext) {
  addEventListener("load", () => navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {}));
}
