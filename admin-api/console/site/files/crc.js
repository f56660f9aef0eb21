// CRC-64/NVME, which the server keeps of every part: so bytes that changed on their way are found out, and so is a file that
// is not the one that was begun. It needs no secure context, as the browser's own digests do.

import { turn } from '../parts/turn.js';

/** Bytes that are summed before others get a turn. */
const SLICE = 1024 * 1024;

/** Sums of each byte with 0 to 7 zero bytes behind it, in two halves. */
const [LOW, HIGH] = tables();

function tables() {
  // The reflected polynomial, 0x9a6c9329ac4bc9b5, in two halves.
  const [polyLow, polyHigh] = [0xac4bc9b5, 0x9a6c9329];
  const [lows, highs] = [new Int32Array(8 * 256), new Int32Array(8 * 256)];
  for (let byte = 0; byte < 256; byte += 1) {
    let [low, high] = [byte, 0];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= polyLow;
        high ^= polyHigh;
      }
    }
    lows[byte] = low;
    highs[byte] = high;
  }
  for (let at = 256; at < 8 * 256; at += 1) {
    const [low, high] = [/** @type {number} */ (lows[at - 256]), /** @type {number} */ (highs[at - 256])];
    lows[at] = ((low >>> 8) | (high << 24)) ^ /** @type {number} */ (lows[low & 255]);
    highs[at] = (high >>> 8) ^ /** @type {number} */ (highs[low & 255]);
  }
  return /** @type {const} */ ([lows, highs]);
}

/**
 * Goes on over some bytes, eight at a time.
 * @param {Uint8Array} bytes @param {[number, number]} sum @returns {[number, number]}
 */
function over(bytes, [low, high]) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 8);
  const [l, h] = /** @type {any[]} */ ([LOW, HIGH]);
  for (let at = 0; at < whole; at += 8) {
    const x = low ^ view.getInt32(at, true);
    const y = high ^ view.getInt32(at + 4, true);
    low = l[1792 + (x & 255)] ^ l[1536 + ((x >>> 8) & 255)] ^ l[1280 + ((x >>> 16) & 255)] ^ l[1024 + (x >>> 24)];
    low ^= l[768 + (y & 255)] ^ l[512 + ((y >>> 8) & 255)] ^ l[256 + ((y >>> 16) & 255)] ^ l[y >>> 24];
    high = h[1792 + (x & 255)] ^ h[1536 + ((x >>> 8) & 255)] ^ h[1280 + ((x >>> 16) & 255)] ^ h[1024 + (x >>> 24)];
    high ^= h[768 + (y & 255)] ^ h[512 + ((y >>> 8) & 255)] ^ h[256 + ((y >>> 16) & 255)] ^ h[y >>> 24];
  }
  for (let at = whole; at < bytes.length; at += 1) {
    const index = (low ^ /** @type {number} */ (bytes[at])) & 255;
    low = ((low >>> 8) | (high << 24)) ^ l[index];
    high = (high >>> 8) ^ h[index];
  }
  return [low, high];
}

/** The sum of some bytes, in base64, as the server tells it. @param {Blob} blob @returns {Promise<string>} */
export async function crc64(blob) {
  /** @type {[number, number]} */
  let sum = [-1, -1];
  for (let from = 0; from < blob.size; from += SLICE) {
    sum = over(new Uint8Array(await blob.slice(from, from + SLICE).arrayBuffer()), sum);
    if (blob.size > SLICE) await turn();
  }
  const out = new DataView(new ArrayBuffer(8));
  out.setInt32(0, ~sum[1]);
  out.setInt32(4, ~sum[0]);
  return btoa(String.fromCharCode(...new Uint8Array(out.buffer)));
}
