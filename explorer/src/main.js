/** Entry point of the bundle: opens the page that carries a scene, and exports the widget. */

import { createExplorer } from "./explorer.js";
import { openPage } from "./page.js";
import { render } from "./widget.js";

if (document.getElementById("scene")?.getAttribute("type") === "application/json") openPage(document);

export { createExplorer };
export default { render };
