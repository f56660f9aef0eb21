import { useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { number, size } from '../parts/format.js';
import { Dialog } from '../parts/dialog.js';
import { html } from '../parts/html.js';
import { Name } from '../parts/name.js';
import { toast } from '../store.js';
import { says, t } from '../words/words.js';
import { lastSegment } from './names.js';

/** @typedef {import('./listing.js').Entry} Entry */
/** @typedef {{ key: string, version?: string }} Named */

/** Objects of one call. */
const AT_ONCE = 1_000;

/** Deletions that can be taken back: what is remembered of them stays in the page. */
const UNDO_MAX = 100_000;

/**
 * Deletes what is named, or brings back what markers hide.
 * @param {string} bucket @param {Named[]} items
 */
async function deleteNamed(bucket, items) {
  const outcome = /** @type {{ markers: Named[], count: number, codes: string[] }} */ ({ markers: [], count: 0, codes: [] });
  for (let from = 0; from < items.length; from += AT_ONCE) {
    gather(outcome, (await call('POST', `${at(bucket)}/delete`, { json: { items: items.slice(from, from + AT_ONCE) } })).items);
  }
  return outcome;
}

/** @param {{ markers: Named[], count: number, codes: string[] }} outcome @param {any[]} items */
function gather(outcome, items) {
  for (const { key, deleted, code } of items) {
    if (code) outcome.codes.push(code);
    else outcome.count += 1;
    if (deleted?.delete_marker && outcome.markers.length < UNDO_MAX) outcome.markers.push({ key, version: deleted.version });
  }
}

/** Brings back what these delete markers hide. @param {string} bucket @param {Named[]} markers */
export async function bringBack(bucket, markers) {
  try {
    const { count, codes } = await deleteNamed(bucket, markers);
    if (count > 0) toast('undo', t('brought_back', { n: count }));
    if (codes[0]) toast('warn', t('delete.failed', { n: codes.length, why: said(codes[0]) }));
  } catch (error) {
    toast('warn', asProblem(error).told);
  }
}

/** @param {string} code */
const said = (code) => (says(`problem.${code}`) ? t(`problem.${code}`, { id: '' }) : code);

/**
 * Deleting: at once and with a way back where versions keep it, else after a question.
 * @param {string} bucket
 * @param {boolean} kept whether deletions are kept as versions
 * @param {() => void} changed
 */
export function useDeleting(bucket, kept, changed) {
  const [asked, setAsked] = useState(/** @type {Entry[] | null} */ (null));
  const [busy, setBusy] = useState(/** @type {{ n: number, stop: AbortController } | null} */ (null));

  /** @param {Entry[]} entries */
  const remove = async (entries) => {
    setAsked(null);
    const stop = new AbortController();
    const outcome = { markers: /** @type {Named[]} */ ([]), count: 0, codes: /** @type {string[]} */ ([]) };
    try {
      const files = entries.filter((entry) => !entry.folder).map(({ key }) => ({ key }));
      for (let from = 0; from < files.length; from += AT_ONCE) {
        gather(outcome, (await call('POST', `${at(bucket)}/delete`, { json: { items: files.slice(from, from + AT_ONCE) }, signal: stop.signal })).items);
      }
      for (const folder of entries.filter((entry) => entry.folder)) {
        /** @type {string | undefined} */
        let after;
        do {
          const step = await call('POST', `${at(bucket)}/delete`, { json: { prefix: folder.key, after }, signal: stop.signal });
          gather(outcome, step.items);
          after = step.next;
          if (after) setBusy({ n: outcome.count, stop });
        } while (after);
      }
    } catch (error) {
      if (!stop.signal.aborted) toast('warn', asProblem(error).told);
    }
    setBusy(null);
    changed();
    const undo = { label: t('undo'), run: () => bringBack(bucket, outcome.markers).then(changed) };
    if (outcome.count > 0) toast('trash', t('deleted', { n: outcome.count }), outcome.markers.length > 0 ? undo : undefined);
    if (outcome.codes[0]) toast('warn', t('delete.failed', { n: outcome.codes.length, why: said(outcome.codes[0]) }));
  };

  /** @param {Entry[]} entries */
  const ask = (entries) => {
    if (entries.length === 0) return;
    if (kept) remove(entries);
    else setAsked(entries);
  };

  const close = () => setAsked(null);
  const dialog = asked
    ? html`<${Question} bucket=${bucket} entries=${asked} close=${close} remove=${() => remove(asked)} />`
    : busy && html`<div class="toasts"><div class="toast" role="status"><span>${t('work.done', { n: number(busy.n) })}</span><button type="button" class="btn small" onClick=${() => busy.stop.abort()}>${t('cancel')}</button></div></div>`;
  return { ask, dialog };
}

/** @param {{ bucket: string, entries: Entry[], close: () => void, remove: () => void }} props */
function Question({ bucket, entries, close, remove }) {
  const bytes = entries.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const folders = entries.filter((one) => one.folder);
  const [counted, setCounted] = useState(/** @type {{ objects: number, bytes: number, whole: boolean } | null} */ (null));
  const count = async () => {
    const sum = { objects: 0, bytes: 0, whole: true };
    for (const folder of folders) {
      const one = await call('GET', `${at(bucket)}/measure`, { query: { prefix: folder.key } });
      sum.objects += one.objects;
      sum.bytes += one.bytes;
      sum.whole &&= one.whole;
    }
    setCounted(sum);
  };
  const [begun] = useState(() => (folders.length > 0 ? count().catch(() => {}) : undefined));
  void begun;
  const known = folders.length === 0 ? { objects: 0, bytes: 0, whole: true } : counted;
  const n = entries.length - folders.length + (known?.objects ?? 0);
  const footer = html`<button type="button" class="btn" autofocus onClick=${close}>${t('cancel')}</button>
    <button type="button" class="btn danger" disabled=${known === null} onClick=${remove}>${t('delete.n', { n: number(n) })}</button>`;
  const only = entries.length === 1 ? entries[0] : undefined;
  const least = known && !known.whole ? t('at_least', { what: size(bytes + known.bytes) }) : size(bytes + (known?.bytes ?? 0));
  return html`<${Dialog} id="delete" title=${t('delete.question', { n: entries.length })} close=${close} footer=${footer}>
    ${only ? html`<p><${Name} text=${only.key} /></p>` : html`<ul>${entries.slice(0, 5).map((one) => html`<li key=${one.key}><${Name} text=${lastSegment(one.key)} /></li>`)}</ul>`}
    <p>${known === null ? t('counting') : t('delete.final', { n: number(n), bytes: least })}</p>
  <//>`;
}
