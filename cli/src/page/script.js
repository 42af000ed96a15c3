"use strict";
// Adds to a page that is whole without it: what belongs together lights up, a box tells the details
// of what is pointed at, and a command is copied at a click.
(() => {
  const tip = document.getElementById("tip");
  const scopeOf = (element) => element.closest("article") || document.body;

  const light = (element) => {
    dim();
    const tokens = new Set((element.dataset.k || "").split(" ").filter(Boolean));
    if (tokens.size === 0) return;
    for (const other of scopeOf(element).querySelectorAll("[data-k]")) {
      if (other.dataset.k.split(" ").some((token) => tokens.has(token))) {
        other.classList.add("lit");
      }
    }
  };

  const dim = () => {
    for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
  };

  const tell = (line, x, y) => {
    const details = line.querySelector("details");
    if (!details || details.open) return hush();
    tip.replaceChildren(details.querySelector("dl").cloneNode(true));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 16, innerWidth - width - 8)) + "px";
    tip.style.top = (y + height + 24 > innerHeight ? Math.max(4, y - height - 12) : y + 20) + "px";
  };

  const hush = () => { tip.hidden = true; };

  for (const element of document.querySelectorAll("[data-k]")) {
    element.addEventListener("pointerenter", () => light(element));
    element.addEventListener("pointerleave", dim);
    element.addEventListener("focusin", () => light(element));
    element.addEventListener("focusout", dim);
  }
  for (const line of document.querySelectorAll(".timeline li")) {
    line.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") tell(line, event.clientX, event.clientY);
    });
    line.addEventListener("pointerleave", hush);
    line.addEventListener("click", hush);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });

  // A mark that is linked to opens, wherever it is.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", open);
  open();

  // Paper can't be opened: what is told in a chapter, and what the marks mean, is printed.
  const shut = [];
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll(".chapter:not([open]), .legend:not([open])")) {
      part.open = true;
      shut.push(part);
    }
  });
  addEventListener("afterprint", () => { for (const part of shut.splice(0)) part.open = false; });

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "copied";
      });
    }
  }
  document.documentElement.dataset.script = "ran";
})();
