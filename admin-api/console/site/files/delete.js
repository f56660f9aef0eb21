import { useState } from 'preact/hooks';
import { Problem, asProblem, at, call } from '../door.js';
import { number, size } from '../parts/format.js';
import { Dialog } from '../parts/dialog.js';
import { html } from '../parts/html.js';
import { Name } from '../parts/name.js';
import { toast } from '../store.js';
import { t } from '../words/words.js';
import { lastSegment } from './names.js';

/** @typedef {import('./folder.js').Entry} Entry */

/** Calls that are under way at once. */
const AT_ONCE = 4;

/**
 * Runs a step for each, some at once. @template T @param {T[]} list @param {(one: T) => Promise<void>} step
 */
async function forEach(list, step) {
  const rest = [...list];
  const run = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await step(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
}

/**
 * Deleting: at once and with a way back where versions keep it, else after a question.
 * @param {string} bucket
 * @param {boolean} kept whether deletions are kept as versions
 * @param {() => void} changed
 */
export function useDeleting(bucket, kept, changed) {
  const [asked, setAsked] = useState(/** @type {Entry[] | null} */ (null));

  /** @param {Entry[]} entries */
  const remove = async (entries) => {
    setAsked(null);
    /** @type {{ key: string, version: string }[]} */
    const markers = [];
    /** @type {import('../door.js').Problem[]} */
    const problems = [];
    await forEach(entries, async (entry) => {
      try {
        if (entry.folder) await refuseUnlessEmpty(bucket, entry.key);
        const done = await call('DELETE', `${at(bucket)}/object`, { query: { key: entry.key } });
        if (done.delete_marker) markers.push({ key: entry.key, version: done.version });
      } catch (error) {
        problems.push(asProblem(error));
      }
    });
    changed();
    const gone = entries.length - problems.length;
    const undo = { label: t('undo'), run: () => bringBack(bucket, markers).then(changed) };
    if (gone > 0) toast('trash', t('deleted', { n: gone }), markers.length > 0 ? undo : undefined);
    if (problems[0]) toast('warn', t('delete.failed', { n: problems.length, why: problems[0].told }));
  };

  /** @param {Entry[]} entries */
  const ask = (entries) => {
    if (entries.length === 0) return;
    if (kept) remove(entries);
    else setAsked(entries);
  };

  const close = () => setAsked(null);
  const dialog = asked && html`<${Question} entries=${asked} close=${close} remove=${() => remove(asked)} />`;
  return { ask, dialog };
}

/** @param {string} bucket @param {{ key: string, version: string }[]} markers */
async function bringBack(bucket, markers) {
  let back = 0;
  await forEach(markers, async ({ key, version }) => {
    try {
      await call('DELETE', `${at(bucket)}/object`, { query: { key, version } });
      back += 1;
    } catch (error) {
      toast('warn', asProblem(error).told);
    }
  });
  if (back > 0) toast('undo', t('brought_back', { n: back }));
}

/** A folder goes alone: what is in it does not go unseen. @param {string} bucket @param {string} prefix */
async function refuseUnlessEmpty(bucket, prefix) {
  const page = await call('GET', `${at(bucket)}/entries`, { query: { prefix, limit: 2 } });
  if (page.items.some((/** @type {Entry} */ entry) => entry.key !== prefix)) throw new Problem(409, { code: 'FolderNotEmpty' });
}

/** @param {{ entries: Entry[], close: () => void, remove: () => void }} props */
function Question({ entries, close, remove }) {
  const bytes = entries.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const footer = html`<button type="button" class="btn" autofocus onClick=${close}>${t('cancel')}</button>
    <button type="button" class="btn danger" onClick=${remove}>${t('delete.n', { n: entries.length })}</button>`;
  const only = entries.length === 1 ? entries[0] : undefined;
  return html`<${Dialog} id="delete" title=${t('delete.question', { n: entries.length })} close=${close} footer=${footer}>
    ${only ? html`<p><${Name} text=${only.key} /></p>` : html`<ul>${entries.slice(0, 5).map((one) => html`<li key=${one.key}><${Name} text=${lastSegment(one.key)} /></li>`)}</ul>`}
    <p>${t('delete.final', { n: number(entries.length), bytes: size(bytes) })}</p>
  <//>`;
}
