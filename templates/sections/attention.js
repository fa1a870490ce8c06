/* The attention of any head over the mapped documents: a token, and the tokens it attends to. */
(() => {
  const panel = document.querySelector(".explorer");
  if (!panel) return;
  const data = JSON.parse(document.getElementById("attention-maps").textContent);
  const language = document.documentElement.lang;
  const [which, layer, head] = ["document", "layer", "head"].map((name) => panel.querySelector(`[name=${name}]`));
  const row = panel.querySelector(".tokens");
  const reading = panel.querySelector(".reading");
  const list = new Intl.ListFormat(language, { type: "conjunction" });
  const weight = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const say = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  let bytes = null;
  let at = 0;

  // Keys and weights of one query of the chosen head, heaviest first; none that would be printed as 0.00.
  const keysOf = (query) => {
    const n = data.documents[which.value].tokens.length;
    const place = data.heads.findIndex(([l, h]) => l === Number(layer.value) && h === Number(head.value));
    const start = (place * n + query) * 2 * data.keys;
    const found = [];
    for (let i = start; i < start + data.keys; i++) {
      if (bytes[i + data.keys] > 1) found.push([bytes[i], bytes[i + data.keys] / 255]);
    }
    return found;
  };
  const read = () => {
    const { tokens } = data.documents[which.value];
    const found = keysOf(at);
    const keys = found.map(([key, share]) => say(data.words.key, { token: tokens[key], weight: weight.format(share) }));
    const place = say(data.words.place, { layer: layer.value, head: head.value });
    const pattern = found.length ? data.words.reading : data.words.nothing;
    reading.textContent = say(pattern, { place, token: tokens[at], keys: list.format(keys) });
    const shade = new Map(found.map(([key, share]) => [key, Math.min(7, Math.floor(8 * Math.sqrt(share)))]));
    [...row.children].forEach((option, i) => {
      option.className = shade.get(i) ? `heat-${shade.get(i)}` : "";
      option.setAttribute("aria-selected", String(i === at));
      option.tabIndex = i === at ? 0 : -1;
    });
  };
  const look = (token, focus = false) => {
    at = token;
    read();
    if (focus) row.children[at].focus();
  };
  const fill = (select, numbers, before) => {
    select.replaceChildren(...numbers.map((number) => new Option(number, number)));
    if (numbers.map(String).includes(before)) select.value = before;
  };
  const heads = () => {
    fill(head, data.heads.filter(([l]) => l === Number(layer.value)).map(([, h]) => h), head.value);
  };
  const open = () => {
    const { tokens, map } = data.documents[which.value];
    bytes = Uint8Array.from(atob(map), (character) => character.charCodeAt(0));
    row.replaceChildren(...tokens.map((token, i) => {
      const option = document.createElement("span");
      option.setAttribute("role", "option");
      option.dir = "auto";
      option.textContent = token;
      for (const event of ["pointerenter", "focus", "click"]) option.addEventListener(event, () => look(i));
      return option;
    }));
    look(Math.min(1, tokens.length - 1));
  };
  const step = (by) => {
    const place = data.heads.findIndex(([l, h]) => l === Number(layer.value) && h === Number(head.value));
    const [l, h] = data.heads[(place + by + data.heads.length) % data.heads.length];
    layer.value = l;
    heads();
    head.value = h;
    read();
  };

  row.addEventListener("keydown", (event) => {
    const last = row.children.length - 1;
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    look(Math.max(0, Math.min(last, to)), true);
  });
  which.addEventListener("change", open);
  layer.addEventListener("change", () => { heads(); read(); });
  head.addEventListener("change", read);
  panel.querySelector("[name=back]").addEventListener("click", () => step(-1));
  panel.querySelector("[name=on]").addEventListener("click", () => step(1));
  fill(layer, [...new Set(data.heads.map(([l]) => l))], "");
  heads();
  open();
  panel.hidden = false;
})();
