// Enlarges a figure in a dialog; the arrow keys show its neighbors. Without this script the link opens the image.
const links = [...document.querySelectorAll("a.enlarge")];
const dialog = document.querySelector("dialog");
const image = dialog.insertBefore(new Image(), dialog.querySelector("p"));
let shown = 0;

function show(index) {
  shown = (index + links.length) % links.length;
  const { alt, src } = links[shown].querySelector("img");
  Object.assign(image, { alt, src });
  dialog.querySelector("p").textContent = alt;
  if (!dialog.open) dialog.showModal();
}

links.forEach((link, index) => link.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(index);
}));
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") show(shown + 1);
  if (event.key === "ArrowLeft") show(shown - 1);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => links[shown].focus());
