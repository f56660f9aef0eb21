import { html } from './html.js';

/** Controls, and characters that turn the direction of text or cannot be seen. */
const ODD = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|^\s+|\s+$/gu;

/** @type {Record<string, string>} */
const KNOWN = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u0000': '\\0', '\u202e': 'RLO', '\u202d': 'LRO', '\u200f': 'RLM', '\u200e': 'LRM' };

/** @param {string} odd */
function mark(odd) {
  if (odd.trim() === '' && !(odd in KNOWN)) return '·'.repeat(Math.min(odd.length, 8));
  return [...odd].map((one) => KNOWN[one] ?? `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`).join(' ');
}

/**
 * A stranger's name: text, with marks for what would hide or deceive.
 * @param {{ text: string }} props
 */
export function Name({ text }) {
  if (text === '') return html`<bdi><span class="esc">∅</span></bdi>`;
  const pieces = [];
  let from = 0;
  for (const match of text.matchAll(ODD)) {
    if (match.index > from) pieces.push(text.slice(from, match.index));
    pieces.push(html`<span class="esc">${mark(match[0])}</span>`);
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return html`<bdi>${pieces}</bdi>`;
}
