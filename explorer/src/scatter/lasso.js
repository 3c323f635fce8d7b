/** Which points are inside a drawn outline. */

/**
 * Return True if a point is inside a polygon (even-odd rule).
 * @param {number} x
 * @param {number} y
 * @param {number[][]} polygon
 */
export function isInside(x, y, polygon) {
  let inside = false;
  for (let place = 0, previous = polygon.length - 1; place < polygon.length; previous = place++) {
    const [x1, y1] = polygon[place];
    const [x2, y2] = polygon[previous];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

/**
 * Return the rows of an index whose points are inside a polygon, in increasing order.
 * @param {import("kdbush").default} index
 * @param {Float32Array} points
 * @param {number[][]} polygon
 */
export function rowsInside(index, points, polygon) {
  if (polygon.length < 3) return [];
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  const box = index.range(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
  return [...Uint32Array.from(box.filter((row) => isInside(points[2 * row], points[2 * row + 1], polygon))).sort()];
}
