// SPDX-License-Identifier: EUPL-1.2
// Says, two minutes before a visit ends by itself, how to stay (WCAG 2.2.1). Without it the hour stands there.
const told = document.querySelector("[data-visit]");
if (told) {
  const ends = performance.now() + Number(told.dataset.visit) * 1000;
  const look = () => {
    const left = ends - performance.now();
    if (left > 120000) {
      setTimeout(look, left - 120000);
    } else {
      told.append(told.querySelector("template").content);
    }
  };
  look();
}
