/* The table of all documents: sorted by the heads of its columns, filtered by the controls above it. */
(() => {
  const table = document.querySelector("table.documents");
  const panel = document.querySelector(".filters");
  if (!table || !panel) return;
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const language = document.documentElement.lang;
  let order = [...rows];

  // `data-value` is what a cell sorts by, where that is not its text; empty where nothing was measured.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const collator = new Intl.Collator(language, { numeric: true });

  const sort = (column, sign) => {
    const compare = heads[column].classList.contains("number") ? (a, b) => a - b : collator.compare;
    const values = new Map(rows.map((row) => [row, valueOf(row, column)]));
    order.sort((one, other) => {
      const [a, b] = [values.get(one), values.get(other)];
      return a === "" || b === "" ? (a === "") - (b === "") : sign * compare(a, b);
    });
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const direction = before === "ascending" ? "descending" : before ? null : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (direction) head.setAttribute("aria-sort", direction);
      if (direction) sort(column, direction === "ascending" ? 1 : -1);
      else order = [...rows];
      table.tBodies[0].append(...order);
    });
  });

  const count = panel.querySelector("output");
  const words = new Map(rows.map((row) => [row, `${row.textContent} ${row.cells[0].dataset.value ?? ""}`.toLowerCase()]));
  const filter = () => {
    const sought = panel.querySelector("[type=search]").value.trim().toLowerCase();
    const chosen = [...panel.querySelectorAll("select")].filter((select) => select.value);
    const wrongOnly = panel.querySelector("[type=checkbox]")?.checked;
    let left = 0;
    for (const row of rows) {
      const fits = words.get(row).includes(sought) && (!wrongOnly || row.classList.contains("wrong")) &&
        chosen.every((select) => (row.cells[select.dataset.column].dataset.is ?? "").split(" ").includes(select.value));
      row.hidden = !fits;
      left += fits;
    }
    count.textContent = count.dataset.pattern.replace("{shown}", left.toLocaleString(language));
  };
  panel.addEventListener("input", filter);
  panel.hidden = false;
  filter();
})();
