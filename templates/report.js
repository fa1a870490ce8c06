"use strict";
/* What a screen adds to a page that is complete without it: theme, place, tips, sorting, filters. */
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The theme: the dark sheet follows the system, or is switched on or off. A file may have no storage.
  const media = { auto: "screen and (prefers-color-scheme: dark)", light: "not all", dark: "screen" };
  const paint = (name) => { document.getElementById("dark").media = media[name]; };
  let kept = null;
  try { kept = localStorage.getItem("auditor.theme"); } catch { /* nothing is remembered */ }
  for (const choice of all(".theme input")) {
    choice.checked = choice.value === (kept in media ? kept : "auto");
    if (choice.checked) paint(choice.value);
    choice.addEventListener("change", () => {
      paint(choice.value);
      try { localStorage.setItem("auditor.theme", choice.value); } catch { /* nothing is remembered */ }
    });
  }
  all(".theme").forEach((theme) => { theme.hidden = false; });

  // The place: the section on a line at a fifth of the window; above the first one, the summary.
  const links = new Map(all(".side li a").map((link) => [link.hash.slice(1), link]));
  const here = (id) => links.forEach((link, key) => {
    if (key === id) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  });
  const onLine = new Set();
  const places = new IntersectionObserver((changes) => {
    for (const change of changes) onLine[change.isIntersecting ? "add" : "delete"](change.target.id);
    here([...onLine].pop() ?? "main");
  }, { rootMargin: "-20% 0px -80% 0px" });
  all(".part").forEach((part) => places.observe(part));

  // Tables that scroll can be reached by key; those that fit are no tab stops. A section is measured once it is laid out.
  const region = ["tabindex", "role", "aria-label"];
  const regions = new Map(all(".scroll").map((area) => [area, region.map((name) => area.getAttribute(name))]));
  const reachable = (area) => {
    const goesOn = area.scrollWidth > area.clientWidth;
    region.forEach((name, i) => {
      if (goesOn) area.setAttribute(name, regions.get(area)[i]);
      else area.removeAttribute(name);
    });
  };
  const widths = new ResizeObserver((changes) => changes.forEach((change) => reachable(change.target)));
  regions.forEach((_, area) => widths.observe(area));

  // Tips: one for the page, shown by pointer or focus, closed by Escape; one tab stop per card, arrows between marks.
  const tip = document.getElementById("main").appendChild(document.createElement("div"));
  const word = tip.appendChild(document.createElement("b"));
  const said = tip.appendChild(document.createElement("span"));
  Object.assign(tip, { id: "tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  word.dir = "auto";
  word.translate = false;
  const notes = new Map();
  let shown = null;

  const hide = () => {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  };
  const show = (mark) => {
    if (mark === shown) return;
    hide();
    shown = mark;
    word.textContent = mark.firstChild.data.trim();
    word.lang = mark.closest("[lang]").lang;
    said.textContent = notes.get(mark);
    tip.hidden = false;
    mark.setAttribute("aria-describedby", "tip");
    place(mark.getClientRects()[0]);
  };
  const place = (box) => {
    const rightToLeft = getComputedStyle(shown).direction === "rtl";
    const room = document.documentElement.clientWidth - tip.offsetWidth - 4;
    const left = rightToLeft ? box.right - tip.offsetWidth : box.left;
    const below = box.bottom + tip.offsetHeight <= innerHeight || box.top < tip.offsetHeight;
    tip.style.left = `${scrollX + Math.max(4, Math.min(left, room))}px`;
    tip.style.top = `${scrollY + (below ? box.bottom : box.top - tip.offsetHeight)}px`;
  };
  const markAt = (target) => {
    const mark = target instanceof Element ? target.closest("mark") : null;
    return notes.has(mark) ? mark : null;
  };

  for (const card of all(".card")) {
    all("mark[title]", card).forEach((mark, i) => {
      notes.set(mark, mark.title);
      mark.removeAttribute("title");
      mark.tabIndex = i ? -1 : 0;
    });
  }
  const step = (mark, key) => {
    const row = all("mark[tabindex]", mark.closest(".card"));
    const onward = getComputedStyle(mark).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (key === "Home") return row[0];
    if (key === "End") return row.at(-1);
    return /^Arrow(Left|Right)$/.test(key) ? row[row.indexOf(mark) + (key === onward ? 1 : -1)] ?? mark : null;
  };
  document.addEventListener("mouseover", (event) => {
    if (tip.contains(event.target)) return;
    const mark = markAt(event.target) ?? markAt(document.activeElement);
    if (mark) show(mark);
    else hide();
  });
  document.addEventListener("focusin", (event) => {
    const mark = markAt(event.target);
    if (!mark) return hide();
    for (const other of all("mark[tabindex]", mark.closest(".card"))) other.tabIndex = other === mark ? 0 : -1;
    show(mark);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const mark = markAt(event.target);
    const next = mark && !event.ctrlKey && !event.altKey && !event.metaKey && step(mark, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
})();
