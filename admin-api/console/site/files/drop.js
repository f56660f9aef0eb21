// Files and folders that are dropped or chosen, as keys below a prefix.
import { turn } from '../parts/turn.js';

/** Most files of one drop. */
const FILES_MAX = 100_000;

/** @typedef {{ file: File, key: string }} Chosen */

/** Files that are looked at before others get a turn. */
const SLICE = 50;

/** @param {FileList | null} list @param {string} prefix @returns {Promise<Chosen[]>} */
export async function chosen(list, prefix) {
  /** @type {Chosen[]} */
  const found = [];
  for (let at = 0; at < Math.min(list?.length ?? 0, FILES_MAX); at += 1) {
    const file = list?.item(at);
    if (file) found.push({ file, key: prefix + (file.webkitRelativePath || file.name) });
    if (at % SLICE === SLICE - 1) await turn();
  }
  return found;
}

/** @param {DataTransfer} transfer @param {string} prefix @returns {Promise<Chosen[]>} */
export async function dropped(transfer, prefix) {
  // Entries are gone once the event was handled.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return chosen(transfer.files, prefix);
  /** @type {Chosen[]} */
  const found = [];
  for (const entry of entries) await walk(entry, prefix, found);
  return found;
}

/** @param {FileSystemEntry} entry @param {string} prefix @param {Chosen[]} found @returns {Promise<void>} */
async function walk(entry, prefix, found) {
  if (found.length >= FILES_MAX) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    found.push({ file, key: prefix + entry.name });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await walk(one, `${prefix}${entry.name}/`, found);
  }
}
