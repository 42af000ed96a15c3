"use strict";
// Shows one event of the steps at a time. Without this script all are listed.
(() => {
  for (const steps of document.querySelectorAll(".steps")) {
    const controls = steps.querySelector(".controls");
    const range = controls.querySelector("input");
    const shown = controls.querySelector("output");
    const items = [...steps.querySelectorAll("[data-from]")];
    const show = () => {
      const at = Number(range.value);
      shown.textContent = "event " + at + " of " + range.max;
      for (const item of items) {
        const { from, to } = item.dataset;
        item.hidden = at < Number(from) || (to !== undefined && at >= Number(to));
      }
    };
    const go = (where) => {
      const at = Number(range.value);
      const last = Number(range.max);
      const to = { first: 0, last, back: at - 1, on: at + 1 }[where] ?? Number(where);
      range.value = Math.min(Math.max(to, 0), last);
      show();
    };
    controls.addEventListener("click", (event) => {
      const button = event.target.closest("[data-go]");
      if (button) go(button.dataset.go);
    });
    range.addEventListener("input", show);
    controls.hidden = false;
    steps.classList.add("stepping");
    if (steps.dataset.open !== undefined) steps.open = true;
    show();
  }
})();
