// A table beside a search field shows only the rows in which every typed word stands.
document.addEventListener("input", (event) => {
  const table = document.getElementById(event.target.dataset?.filters);
  if (!table) return;
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of table.tBodies[0].rows) {
    const text = `${row.textContent} ${row.dataset.can}`.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});
