/** The part of the plane that is shown. */

const MAX_ASPECT = 20; // ratio of spreads above which the axes have different scales
const MARGIN = 0.06; // share of the extent around the points

export class Camera {
  /**
   * @param {number[]} limits  Left, right, bottom and top of what is shown at first.
   * @param {boolean} isLine  The vertical axis has no meaning, so scales are independent.
   */
  constructor(limits, isLine) {
    const [left, right, bottom, top] = limits;
    this.home = { x: (left + right) / 2, y: (bottom + top) / 2, width: right - left || 1, height: top - bottom || 1 };
    const ratio = this.home.width / this.home.height;
    this.isEqual = !isLine && ratio < MAX_ASPECT && ratio > 1 / MAX_ASPECT;
    this.pixelWidth = 1;
    this.pixelHeight = 1;
    this.reset();
  }

  /** Show all points. */
  reset() {
    this.x = this.home.x;
    this.y = this.home.y;
    this.zoom = 1;
  }

  /** Pixels per unit of x. */
  get scaleX() {
    return this.zoom * (this.isEqual ? Math.min(...this.fit()) : this.fit()[0]);
  }

  /** Pixels per unit of y. */
  get scaleY() {
    return this.zoom * (this.isEqual ? Math.min(...this.fit()) : this.fit()[1]);
  }

  fit() {
    const space = 1 + 2 * MARGIN;
    return [this.pixelWidth / (this.home.width * space), this.pixelHeight / (this.home.height * space)];
  }

  /** Return the pixel of a point. */
  toPixel(x, y) {
    return [this.pixelWidth / 2 + (x - this.x) * this.scaleX, this.pixelHeight / 2 - (y - this.y) * this.scaleY];
  }

  /** Return the point of a pixel. */
  toPoint(pixelX, pixelY) {
    return [
      this.x + (pixelX - this.pixelWidth / 2) / this.scaleX,
      this.y - (pixelY - this.pixelHeight / 2) / this.scaleY,
    ];
  }

  /** Return left, right, bottom and top of the shown part. */
  limits() {
    const [left, top] = this.toPoint(0, 0);
    const [right, bottom] = this.toPoint(this.pixelWidth, this.pixelHeight);
    return [left, right, bottom, top];
  }

  /** Move by pixels. */
  pan(dx, dy) {
    this.x -= dx / this.scaleX;
    this.y += dy / this.scaleY;
  }

  /** Zoom by a factor; the point of a pixel stays there. */
  zoomAt(factor, pixelX, pixelY) {
    const [x, y] = this.toPoint(pixelX, pixelY);
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.2), 5000);
    const [movedX, movedY] = this.toPoint(pixelX, pixelY);
    this.x += x - movedX;
    this.y += y - movedY;
  }
}
