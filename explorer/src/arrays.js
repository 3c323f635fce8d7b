/** Arrays of a scene: references in its JSON become typed arrays. */

/** @typedef {{data: any, shape: number[]}} NumericArray */

const TYPES = { float64: Float64Array, float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * Return the scene with every reference `{name, dtype, shape}` replaced by `{data, shape}`.
 * @param {any} scene
 * @param {(name: string) => Uint8Array} bytesOf
 * @returns {Promise<any>}
 */
export async function resolveArrays(scene, bytesOf) {
  if (Array.isArray(scene)) return Promise.all(scene.map((item) => resolveArrays(item, bytesOf)));
  if (scene === null || typeof scene !== "object") return scene;
  if (typeof scene.name === "string" && typeof scene.dtype === "string" && Array.isArray(scene.shape)) {
    const bytes = scene.gzip ? await inflate(bytesOf(scene.name)) : bytesOf(scene.name);
    return { data: toTypedArray(bytes, scene.dtype), shape: scene.shape };
  }
  const entries = Object.entries(scene).map(async ([key, value]) => [key, await resolveArrays(value, bytesOf)]);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Return bytes as numbers of a type; float16 as float32.
 * @param {Uint8Array} bytes
 * @param {string} dtype
 */
export function toTypedArray(bytes, dtype) {
  if (dtype === "uint8") return bytes;
  const buffer = bytes.slice().buffer; // aligned
  if (dtype === "float16") return fromFloat16(new Uint16Array(buffer));
  const Type = TYPES[dtype];
  if (!Type) throw new Error(`The scene holds an array of type ${dtype}, which this page cannot read.`);
  return new Type(buffer);
}

/**
 * Return half-precision numbers as float32.
 * @param {Uint16Array} halves
 */
export function fromFloat16(halves) {
  const numbers = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) {
    const bits = halves[index];
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : exponent
          ? 2 ** (exponent - 15) * (1 + fraction / 1024)
          : 2 ** -14 * (fraction / 1024);
    numbers[index] = bits & 0x8000 ? -size : size;
  }
  return numbers;
}

/**
 * Return the bytes that base64 text encodes.
 * @param {string} text
 */
export function fromBase64(text) {
  if ("fromBase64" in Uint8Array) return /** @type {any} */ (Uint8Array).fromBase64(text);
  return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
async function inflate(bytes) {
  const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
