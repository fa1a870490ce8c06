/* The table of all documents: the rows lie as JSON in the page, and a hundred of them are drawn at a time. */
(() => {
  const data = JSON.parse(document.getElementById("documents").textContent);
  const table = document.querySelector("table.paged");
  const panel = document.querySelector(".filters");
  const navigation = [...document.querySelectorAll(".pages")];
  const language = document.documentElement.lang;
  const { columns } = data;
  const n = columns[0].cells.length;
  const everything = Uint32Array.from({ length: n }, (_, i) => i);
  let order = everything;
  let fitting = everything;
  let from = 0;

  // A cell is a text, a text and its value, or the number of a choice.
  const cellOf = (column, row) => {
    const cell = column.cells[row];
    if (column.choices) return column.choices[cell];
    return Array.isArray(cell) ? { text: cell[0], value: cell[1] } : { text: cell ?? "", value: cell };
  };
  const valueOf = (cell) => cell.value ?? cell.text;
  const isWrong = (row) => columns.some((column) => column.choices?.[column.cells[row]].wrong);

  // Drawing: text nodes only, so that nothing from a corpus can become markup.
  const draw = (column, row, first) => {
    const cell = cellOf(column, row);
    const place = document.createElement(first ? "th" : "td");
    if (first) place.scope = "row";
    if (column.kind !== "text") place.className = column.kind;
    if (column.kind === "corpus") place.dir = "auto";
    if (column.kind === "corpus" || column.kind === "id") place.translate = false;
    if (cell.wrong) {
      const sign = place.appendChild(document.createElement("span"));
      sign.className = "result fail";
      sign.textContent = "✗";
      place.append(" ");
    }
    const text = column.kind === "id" ? place.appendChild(document.createElement("bdi")) : place;
    text.append(cell.text || (column.kind === "number" ? "–" : ""));
    return place;
  };
  const count = (number) => number.toLocaleString(language);
  const say = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const show = (first) => {
    from = Math.max(0, Math.min(first, Math.floor((fitting.length - 1) / data.rows) * data.rows));
    const rows = [...fitting.subarray(from, from + data.rows)].map((row) => {
      const line = document.createElement("tr");
      if (isWrong(row)) line.className = "wrong";
      line.append(...columns.map((column, i) => draw(column, row, i === 0)));
      return line;
    });
    table.tBodies[0].replaceChildren(...rows);
    const to = from + rows.length;
    const ends = { first: count(rows.length ? from + 1 : 0), last: count(to), all: count(fitting.length) };
    for (const bar of navigation) {
      const range = bar.querySelector(".range");
      range.textContent = say(range.dataset.pattern, ends);
      for (const button of bar.querySelectorAll("button")) {
        const backwards = button.dataset.to === "first" || button.dataset.to === "previous";
        button.disabled = backwards ? from === 0 : to >= fitting.length;
      }
      bar.hidden = n <= data.rows;
    }
  };

  // Sorting: a rank for every row, made once for a column; rows without a value come last in both directions.
  const collator = new Intl.Collator(language, { numeric: true });
  const ranks = new Map();
  const ranked = (values, compare) => {
    const known = [...new Set(values)].filter((value) => value !== null && value !== "").sort(compare);
    const places = new Map(known.map((value, i) => [value, i]));
    return values.map((value) => places.get(value) ?? -1);
  };
  const ranksOf = (column) => {
    if (!ranks.has(column)) {
      const compare = column.kind === "number" ? (a, b) => a - b : collator.compare;
      const cells = column.choices ?? everything;
      const found = ranked([...cells].map((cell) => valueOf(column.choices ? cell : cellOf(column, cell))), compare);
      ranks.set(column, column.choices ? column.cells.map((choice) => found[choice]) : found);
    }
    return ranks.get(column);
  };
  const sort = (column, sign) => {
    const rank = ranksOf(column);
    order = everything.slice().sort((a, b) => {
      if (rank[a] < 0 || rank[b] < 0) return (rank[a] < 0) - (rank[b] < 0) || a - b;
      return sign * (rank[a] - rank[b]) || a - b;
    });
  };
  [...table.tHead.rows[0].cells].forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const direction = before === "ascending" ? "descending" : before ? null : "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      if (direction) head.setAttribute("aria-sort", direction);
      if (direction) sort(columns[i], direction === "ascending" ? 1 : -1);
      else order = everything;
      filter();
    });
  });

  // Filtering: by words in any cell, by entries, by errors.
  const words = [];
  const wordsOf = (row) => {
    words[row] ??= columns.map((column) => {
      const cell = cellOf(column, row);
      return typeof cell.value === "string" && cell.value !== cell.text ? `${cell.text} ${cell.value}` : cell.text;
    }).join(" ").toLowerCase();
    return words[row];
  };
  const filter = () => {
    const sought = panel.querySelector("[type=search]").value.trim().toLowerCase();
    const wrongOnly = panel.querySelector("[type=checkbox]")?.checked;
    const chosen = [...panel.querySelectorAll("select")].filter((select) => select.value).map((select) => {
      const column = columns[select.dataset.column];
      const fits = column.choices.map((choice) => choice.holds.includes(Number(select.value)));
      return (row) => fits[column.cells[row]];
    });
    fitting = order.filter((row) => chosen.every((fits) => fits(row)) && (!wrongOnly || isWrong(row)) &&
      (!sought || wordsOf(row).includes(sought)));
    const left = panel.querySelector("output");
    left.textContent = left.dataset.pattern.replace("{shown}", count(fitting.length));
    show(0);
  };
  panel.addEventListener("input", filter);

  const targets = { first: () => 0, previous: () => from - data.rows, next: () => from + data.rows, last: () => n };
  for (const bar of navigation) {
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) show(targets[button.dataset.to]());
    });
  }
  panel.hidden = false;
  filter();
})();
