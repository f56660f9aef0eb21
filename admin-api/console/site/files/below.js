// Every key below a folder, some at a time.
import { at, call } from '../door.js';

/**
 * Keys below a prefix, folder by folder. What a step takes away is not missed: each page goes on behind the last key.
 * @param {string} bucket @param {string} prefix @param {AbortSignal} signal @returns {AsyncGenerator<string[]>}
 */
export async function* keysBelow(bucket, prefix, signal) {
  const folders = [prefix];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    /** @type {string | undefined} */
    let after;
    do {
      const page = await call('GET', `${at(bucket)}/entries`, { query: { prefix: folder, after, limit: 1000 }, signal });
      const keys = [];
      for (const entry of page.items) {
        if (entry.folder) folders.push(entry.key);
        else keys.push(entry.key);
      }
      if (keys.length > 0) yield keys;
      after = page.next;
    } while (after);
  }
}

