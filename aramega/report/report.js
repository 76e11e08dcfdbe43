// What the page can do beyond being read. Without script everything is still there: players, tables, text.
"use strict";

// One player at a time; a line over the picture says where it is, and a click there goes there.
const players = [...document.querySelectorAll("audio")];
for (const player of players) {
  const card = player.closest(".card");
  const picture = card.querySelector(".picture");
  const head = card.querySelector(".playhead");
  const show = () => {
    head.style.left = `${(100 * player.currentTime) / (player.duration || 1)}%`;
    if (!player.paused) requestAnimationFrame(show);
  };
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    card.classList.add("playing");
    show();
  });
  player.addEventListener("seeked", show);
  for (const line of card.querySelectorAll(".line")) {
    const hear = () => {
      player.currentTime = Number(line.dataset.start);
      player.play();
    };
    line.addEventListener("click", hear);
    line.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      hear();
    });
  }
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    player.currentTime = ((event.clientX - box.left) / box.width) * (player.duration || 0);
    player.play();
  });
}

// The table of recordings: sorted by any column, and searched.
const table = document.querySelector("#recordings table");
if (table) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => compare(value(a, column), value(b, column)) * (down ? -1 : 1));
      body.append(...rows);
    });
  });

  const filter = document.querySelector(".filter");
  const input = filter.querySelector("input");
  const found = filter.querySelector("[role=status]");
  filter.hidden = rows.length < 6;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    found.textContent = words.length ? `${shown} found` : "";
  });
}

// On paper nothing can be opened, so everything is.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
